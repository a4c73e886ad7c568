import Kafka
import Testing

@Suite struct `Brokers in trouble` {
  /// NOT_LEADER_FOR_PARTITION in the protocol's table of errors.
  private let notLeader: Int32 = 6
  private let leaderNotAvailable: Int32 = 5

  @Test func `a leader that moves away costs time, not records`() throws {
    let topic = try EmbeddedTopic()
    try topic.fill(100)
    topic.broker.failNext(.fetch, with: [notLeader, notLeader])
    let consumer = try topic.consumer()
    try consumer.assign([0: 0])
    #expect(try consumer.read(upTo: [0: 100], limit: .seconds(20)).map(\.offset) == Array(0..<100))
  }

  @Test func `a partition that moves to another broker is read there`() throws {
    let topic = try EmbeddedTopic(brokers: 2)
    try topic.fill(200, batchSize: 100)
    topic.broker.setLeader(ofTopic: topic.name, partition: 0, to: 1)
    let consumer = try topic.consumer()
    try consumer.assign([0: 0])
    #expect(try consumer.read(upTo: [0: 100], limit: .seconds(20)).count == 100)
    topic.broker.setLeader(ofTopic: topic.name, partition: 0, to: 2)
    #expect(
      try consumer.read(upTo: [0: 200], limit: .seconds(20)).map(\.offset) == Array(100..<200))
  }

  @Test func `offsets are asked again until every leader has answered`() throws {
    let topic = try EmbeddedTopic(partitions: 2)
    try topic.fill(7, partition: 1)
    let consumer = try topic.consumer()
    topic.broker.failNext(.listOffsets, with: [notLeader, leaderNotAvailable, notLeader])
    #expect(try consumer.offsets(of: [0, 1], at: .end, timeout: .seconds(10)) == [0: 0, 1: 7])
  }

  @Test func `offsets that never come are an error within the time limit`() throws {
    let topic = try EmbeddedTopic()
    let consumer = try topic.consumer()
    topic.broker.failNext(.listOffsets, with: Array(repeating: notLeader, count: 1000))
    let began = ContinuousClock.now
    #expect {
      try consumer.offsets(of: [0], at: .end, timeout: .seconds(1))
    } throws: { error in
      let error = error as? KafkaError
      return error?.isRetriable == true && error?.name == "NOT_LEADER_FOR_PARTITION"
    }
    #expect(ContinuousClock.now - began < .seconds(3))
  }

  @Test func `a broker that is down at the start is named within the time limit`() throws {
    let began = ContinuousClock.now
    #expect {
      try KafkaConsumer.open(
        KafkaConfiguration(brokers: ["127.0.0.1:9"]), topic: "t", timeout: .seconds(1))
    } throws: { error in
      let error = error as? KafkaError
      return error?.isRetriable == true
        && error?.message.contains("127.0.0.1:9 refused the connection") == true
    }
    #expect(ContinuousClock.now - began < .seconds(3))
  }

  @Test func `a host name that does not resolve is named`() throws {
    #expect {
      try KafkaConsumer.open(
        KafkaConfiguration(brokers: ["no-such-host.invalid:9092"]), topic: "t",
        timeout: .seconds(2))
    } throws: { error in
      (error as? KafkaError)?.message.contains("no-such-host.invalid:9092") == true
    }
  }

  @Test func `a broker that comes back within the time limit is found`() throws {
    let topic = try EmbeddedTopic()
    try topic.fill(10)
    let consumer = try topic.consumer()
    try consumer.assign([0: 0])
    #expect(try consumer.read(upTo: [0: 10]).count == 10)
    topic.broker.setBroker(1, isUp: false)
    consumer.beginBatch(upTo: [0: 20])
    while consumer.troubles.isEmpty { _ = try consumer.poll(timeoutMilliseconds: 50) { _ in } }
    topic.broker.setBroker(1, isUp: true)
    try topic.fill(10)
    #expect(
      try consumer.read(upTo: [0: 20], limit: .seconds(20)).map(\.offset) == Array(10..<20))
  }

  @Test(arguments: [Int64(0), Int64(500)])
  func `an offset that is not there is an error and never a jump`(start: Int64) throws {
    let topic = try EmbeddedTopic()
    // 900 kB a record: the mock cluster keeps the last five, so the log begins above 0.
    let large = [UInt8](repeating: 0x61, count: 900_000)
    for _ in 0..<8 {
      try topic.producer.send(topic: topic.name, key: nil, value: large, partition: 0)
      try topic.producer.flush(timeout: .seconds(10))
    }
    let consumer = try topic.consumer()
    let beginning = try #require(
      try consumer.offsets(of: [0], at: .beginning, timeout: .seconds(5))[0])
    try #require(beginning > 0)
    try consumer.assign([0: start])
    #expect {
      try consumer.read(upTo: [0: 1000])
    } throws: { error in
      let error = error as? KafkaError
      return error?.isOffsetOutOfRange == true && error?.partition == 0 && error?.offset == start
        && error?.message.contains("partition 0 of topic clickstream-events") == true
    }
  }

  @Test func `a closed consumer closes again`() throws {
    let topic = try EmbeddedTopic()
    try topic.fill(10)
    let consumer = try topic.consumer()
    try consumer.assign([0: 0])
    _ = try consumer.read(upTo: [0: 3])
    #expect(consumer.close())
    #expect(consumer.close())
  }

  @Test func `records that no broker takes are counted and named`() throws {
    let producer = try KafkaProducer(
      KafkaConfiguration(
        brokers: ["127.0.0.1:9"], properties: [("message.timeout.ms", "300")]))
    for _ in 0..<3 { try producer.send(topic: "t", key: nil, value: [1]) }
    #expect {
      try producer.flush(timeout: .seconds(5))
    } throws: { error in
      let error = error as? KafkaError
      return error?.name == KafkaError.Name.deliveryFailed
        && error?.message.hasPrefix("3 records were not delivered") == true
    }
  }
}
