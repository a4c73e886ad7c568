internal import CRdKafka

/// Keeps the fetcher of librdkafka before 2.2 awake.
///
/// When the local queue is full, that library's fetcher sleeps for up to a second, whatever the
/// application consumes meanwhile; any request to the same broker wakes it. Asking for an offset
/// every few milliseconds makes reading more than twice as fast. Newer libraries have
/// `fetch.queue.backoff.ms` instead.
final class Waker {
  private let stopped: EventDescriptor
  private let thread: BackgroundThread

  /// With fewer records than this to read, no queue is full for long.
  static let worthwhile: Int64 = 20_000

  /// - Parameter partitions: one of each leader is enough.
  init(_ client: KafkaClient, topic: String, partitions: [Int32]) throws(KafkaError) {
    let stopped = try EventDescriptor()
    self.stopped = stopped
    thread = try BackgroundThread(name: "kafka-waker") {
      while !stopped.wait(Self.interval) { Self.ask(client, topic, partitions) }
    }
  }

  /// Ends the thread; before the handle is destroyed.
  ///
  /// Takes as long as a question in flight.
  func stop() {
    stopped.signal()
    _ = thread.wait(.seconds(5))
  }

  private static let interval = Duration.milliseconds(20)
  private static let answerLimitMs: Int32 = 1000

  /// The answer does not matter.
  private static func ask(_ client: KafkaClient, _ topic: String, _ partitions: [Int32]) {
    guard let list = rd_kafka_topic_partition_list_new(Int32(partitions.count)) else { return }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for partition in partitions {
      rd_kafka_topic_partition_list_add(list, topic, partition).pointee.offset =
        OffsetQuery.end.wireValue
    }
    _ = rd_kafka_offsets_for_times(client.handle, list, answerLimitMs)
  }
}
