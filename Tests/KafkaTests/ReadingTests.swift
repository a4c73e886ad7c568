import Kafka
import Testing

@Suite struct `Reading a topic` {
  @Test func `every record of every partition arrives once and in order`() throws {
    let topic = try EmbeddedTopic(partitions: 3)
    for partition in Int32(0)..<3 { try topic.fill(2500, partition: partition) }
    let consumer = try topic.consumer()
    try consumer.assign([0: 0, 1: 0, 2: 0])
    let records = try consumer.read(upTo: [0: 2500, 1: 2500, 2: 2500])
    for partition in Int32(0)..<3 {
      let own = records.filter { $0.partition == partition }
      #expect(own.map(\.offset) == Array(0..<2500))
      #expect(own.map(\.value) == (0..<2500).map { Array("\($0)".utf8) })
    }
  }

  @Test func `keys, times, headers, empty and null values are told apart`() throws {
    let topic = try EmbeddedTopic()
    try topic.producer.send(
      topic: topic.name, key: Array("k".utf8), value: [],
      headers: [("a\"\n", [0, 255]), ("a\"\n", nil), ("b", [])], partition: 0,
      timestampMs: 1_769_853_600_123)
    try topic.producer.send(topic: topic.name, key: [], value: nil, partition: 0)
    try topic.producer.send(topic: topic.name, key: nil, value: [1], partition: 0)
    try topic.producer.flush(timeout: .seconds(10))
    let consumer = try topic.consumer()
    try consumer.assign([0: 0])
    let records = try consumer.read(upTo: [0: 3])
    try #require(records.count == 3)
    #expect(records[0].key == Array("k".utf8))
    #expect(records[0].value == [])
    #expect(records[0].timestampMs == 1_769_853_600_123)
    #expect(records[0].headers == #"[["a\"\u000a","AP8="],["a\"\u000a",null],["b",""]]"#)
    #expect(records[1].key == [])
    #expect(records[1].value == nil)
    #expect(records[1].headers == nil)
    #expect(records[2].key == nil)
    #expect(records[2].value == [1])
  }

  @Test func `a batch ends exactly at its end, and the next one goes on from there`() throws {
    let topic = try EmbeddedTopic(partitions: 2)
    // Batches of 700 records, so that no end of a batch falls on an end of what the broker sends.
    try topic.fill(3000, partition: 0, batchSize: 700)
    try topic.fill(100, partition: 1)
    let consumer = try topic.consumer()
    try consumer.assign([0: 0, 1: 0])
    var next: [Int32: Int64] = [0: 0, 1: 0]
    for end in [[1, 1], [1, 50], [600, 50], [601, 100], [2999, 100], [3000, 100]] {
      let ends: [Int32: Int64] = [0: Int64(end[0]), 1: Int64(end[1])]
      let records = try consumer.read(upTo: ends)
      for partition in Int32(0)..<2 {
        let from = try #require(next[partition])
        let to = try #require(ends[partition])
        #expect(
          records.filter { $0.partition == partition }.map(\.offset) == Array(from..<to))
      }
      next = ends
    }
  }

  @Test func `reading starts and stops in the middle`() throws {
    let topic = try EmbeddedTopic()
    try topic.fill(1000, batchSize: 300)
    let consumer = try topic.consumer()
    try consumer.assign([0: 450])
    #expect(try consumer.read(upTo: [0: 460]).map(\.offset) == Array(450..<460))
  }

  @Test func `a partition that no batch names rests`() throws {
    let topic = try EmbeddedTopic(partitions: 2)
    try topic.fill(10, partition: 0)
    try topic.fill(10, partition: 1)
    let consumer = try topic.consumer()
    try consumer.assign([0: 0, 1: 0])
    #expect(Set(try consumer.read(upTo: [1: 10]).map(\.partition)) == [1])
    #expect(try consumer.read(upTo: [0: 10, 1: 10]).map(\.offset) == Array(0..<10))
  }

  @Test func `a handler that throws has not taken its record`() throws {
    struct Full: Error {}
    let topic = try EmbeddedTopic()
    try topic.fill(10)
    let consumer = try topic.consumer()
    try consumer.assign([0: 0])
    consumer.beginBatch(upTo: [0: 10])
    var taken: [Int64] = []
    #expect(throws: Full.self) {
      while !consumer.batchIsDone {
        _ = try consumer.poll(timeoutMilliseconds: 100) { message in
          if message.offset == 4 { throw Full() }
          taken.append(message.offset)
        }
      }
    }
    #expect(taken == [0, 1, 2, 3])
    #expect(consumer.unfinished.map(\.position) == [4])
    #expect(try consumer.read(upTo: [0: 10]).map(\.offset) == Array(4..<10))
  }

  @Test func `an empty topic has offsets and an empty batch`() throws {
    let topic = try EmbeddedTopic(partitions: 2)
    let consumer = try topic.consumer()
    let partitions = consumer.metadata.partitions
    #expect(partitions == [0, 1])
    #expect(
      try consumer.offsets(of: partitions, at: .end, timeout: .seconds(5)) == [0: 0, 1: 0])
    try consumer.assign([0: 0, 1: 0])
    #expect(try consumer.read(upTo: [0: 0, 1: 0]).isEmpty)
  }

  @Test func `the first and the last offset are asked for`() throws {
    let topic = try EmbeddedTopic(partitions: 2)
    try topic.fill(25, partition: 1)
    let consumer = try topic.consumer()
    #expect(
      try consumer.offsets(of: [0, 1], at: .beginning, timeout: .seconds(5)) == [0: 0, 1: 0])
    #expect(try consumer.offsets(of: [0, 1], at: .end, timeout: .seconds(5)) == [0: 0, 1: 25])
    #expect(try #require(consumer.metadata.clusterID).isEmpty == false)
  }

  @Test func `records that come while a batch waits are read`() throws {
    let topic = try EmbeddedTopic()
    let consumer = try topic.consumer()
    try consumer.assign([0: 0])
    consumer.beginBatch(upTo: [0: 5])
    #expect(try consumer.poll(timeoutMilliseconds: 200) { _ in } == 0)
    try topic.fill(5)
    #expect(try consumer.read(upTo: [0: 5]).map(\.offset) == Array(0..<5))
  }

  @Test func `a hundred partitions share the queue's memory`() throws {
    let topic = try EmbeddedTopic(partitions: 100)
    for partition in Int32(0)..<100 {
      try topic.producer.send(topic: topic.name, key: nil, value: [7], partition: partition)
    }
    try topic.producer.flush(timeout: .seconds(10))
    let consumer = try topic.consumer(expectedPartitions: 100)
    let start = Dictionary(uniqueKeysWithValues: (Int32(0)..<100).map { ($0, Int64(0)) })
    try consumer.assign(start)
    #expect(try consumer.read(upTo: start.mapValues { _ in 1 }).count == 100)
  }
}
