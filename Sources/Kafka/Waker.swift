internal import CRdKafka
internal import Glibc
internal import Synchronization

/// Keeps the fetcher of librdkafka before 2.2 awake.
///
/// When the local queue is full, that library's fetcher sleeps for up to a second, whatever the
/// application consumes meanwhile; any request to the same broker wakes it. Asking for an offset
/// every few milliseconds makes reading more than twice as fast. Newer libraries have
/// `fetch.queue.backoff.ms` instead.
final class Waker {
  private let stopped = Stopped()
  private let thread: BackgroundThread

  private final class Stopped: Sendable {
    let flag = Atomic<Bool>(false)
  }

  init(_ handle: OpaquePointer, topic: String, partitions: [Int32]) throws(KafkaError) {
    let handle = SendableHandle(pointer: handle)
    let stopped = stopped
    thread = try BackgroundThread(name: "kafka-waker") {
      while !stopped.flag.load(ordering: .acquiring) {
        Self.ask(handle.pointer, topic, partitions)
        usleep(Self.intervalMicroseconds)
      }
    }
  }

  /// Ends the thread; before the handle is destroyed.
  func stop() {
    stopped.flag.store(true, ordering: .releasing)
    _ = thread.wait(.seconds(5))
  }

  private static let intervalMicroseconds: UInt32 = 25_000

  private static func ask(_ handle: OpaquePointer, _ topic: String, _ partitions: [Int32]) {
    guard let list = rd_kafka_topic_partition_list_new(Int32(partitions.count)) else { return }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for partition in partitions {
      rd_kafka_topic_partition_list_add(list, topic, partition).pointee.offset =
        OffsetQuery.end.wireValue
    }
    _ = rd_kafka_offsets_for_times(handle, list, 1000)
  }
}
