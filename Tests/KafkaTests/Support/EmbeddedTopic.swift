import Kafka

/// A mock cluster with one topic, a producer for it, and consumers on demand.
final class EmbeddedTopic {
  let name = "clickstream-events"
  let broker: EmbeddedBroker
  let producer: KafkaProducer

  init(partitions: Int32 = 1, brokers: Int32 = 1) throws {
    broker = try EmbeddedBroker(brokers: brokers)
    try broker.createTopic(name, partitions: partitions)
    producer = try KafkaProducer(KafkaConfiguration(brokers: [broker.bootstrapServers]))
  }

  /// Values "0", "1", ...
  ///
  /// of one partition, in batches of at most `batchSize` records.
  func fill(_ count: Int, partition: Int32 = 0, batchSize: Int = 1000) throws {
    for first in stride(from: 0, to: count, by: batchSize) {
      for number in first..<min(count, first + batchSize) {
        try producer.send(
          topic: name, key: nil, value: Array("\(number)".utf8), partition: partition)
      }
      try producer.flush(timeout: .seconds(10))
    }
  }

  func consumer(
    timeout: Duration = .seconds(10), properties: [(name: String, value: String)] = [],
    expectedPartitions: Int = 0
  ) throws -> KafkaConsumer {
    let configuration = KafkaConfiguration(
      brokers: [broker.bootstrapServers], properties: properties,
      expectedPartitions: expectedPartitions)
    return try KafkaConsumer.open(configuration, topic: name, timeout: timeout)
  }
}

/// A record, copied out of the library's memory.
struct ReceivedRecord: Equatable {
  var partition: Int32
  var offset: Int64
  var timestampMs: Int64
  var key: [UInt8]?
  var value: [UInt8]?
  var headers: String?

  init(_ message: MessageView) {
    partition = message.partition
    offset = message.offset
    timestampMs = message.timestampMs
    key = message.key.map { Array($0) }
    value = message.value.map { Array($0) }
    headers = message.headersJSON()
  }
}

struct ReadTimedOut: Error {
  var unfinished: [Int32]
}

extension KafkaConsumer {
  /// Everything of a batch; an error when it does not end in time.
  func read(
    upTo ends: [Int32: Int64], limit: Duration = .seconds(10)
  ) throws -> [ReceivedRecord] {
    var records: [ReceivedRecord] = []
    let deadline = ContinuousClock.now + limit
    beginBatch(upTo: ends)
    while !batchIsDone {
      guard .now < deadline else { throw ReadTimedOut(unfinished: unfinished.map(\.partition)) }
      _ = try poll(timeoutMilliseconds: 50) { records.append(ReceivedRecord($0)) }
    }
    return records
  }
}
