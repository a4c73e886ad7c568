internal import CRdKafka

/// A consumer for one run: explicit assignment, no membership of a group, no offsets from one.
///
/// Each partition has a queue of its own, so that a batch can stop every partition exactly at its
/// end while the fetcher goes on with the next batch. A consumer that threw is never used again.
package final class KafkaConsumer {
  let client: KafkaClient
  let topic: String
  /// What the brokers said when the consumer was opened.
  package let metadata: TopicMetadata
  private var readers: [PartitionReader] = []
  private let signal: EventDescriptor
  private var waker: Waker?
  /// Commits that were sent to the group.
  var groupQuestions = 0

  /// Connects and learns the topic's partitions.
  ///
  /// - Parameter timeout: for connecting and for the answer.
  /// - Throws: `TOPIC_MISSING`, or what kept the brokers from answering within `timeout`.
  package static func open(
    _ configuration: KafkaConfiguration, topic: String, timeout: Duration
  ) throws(KafkaError) -> KafkaConsumer {
    let expected = max(1, configuration.expectedPartitions)
    let consumer = try KafkaConsumer(configuration, topic, partitions: expected, timeout)
    let partitions = consumer.metadata.partitions.count
    // The queues' limits are per partition and fixed when the client is made.
    if partitions == expected { return consumer }
    consumer.close()
    return try KafkaConsumer(configuration, topic, partitions: partitions, timeout)
  }

  private init(
    _ configuration: KafkaConfiguration, _ topic: String, partitions: Int, _ timeout: Duration
  ) throws(KafkaError) {
    self.topic = topic
    signal = try EventDescriptor()
    client = try KafkaClient(
      RD_KAFKA_CONSUMER, configuration, defaults: Self.defaults,
      settings: Self.settings(configuration, partitions: partitions))
    rd_kafka_poll_set_consumer(client.handle)
    do {
      metadata = try client.metadata(topic: topic, timeout: timeout)
    } catch {
      client.close(limit: .seconds(10))
      throw error
    }
  }

  deinit { close() }

  /// The offset of each partition, asked with one request to each leader.
  ///
  /// - Returns: for a timestamp that no record reaches, no entry for that partition.
  /// - Throws: when a partition has no answer within `timeout`.
  package func offsets(
    of partitions: [Int32], at query: OffsetQuery, timeout: Duration
  ) throws(KafkaError) -> [Int32: Int64] {
    try client.offsets(topic: topic, partitions: partitions, at: query, timeout: timeout)
  }

  /// Starts fetching; once in the life of a consumer.
  ///
  /// - Parameters:
  ///   - start: the first offset that is delivered of each partition.
  ///   - proofs: records before it, each of which must still be what it was; `compareProofs`
  ///     looks for them, and comes before the first batch.
  package func assign(
    _ start: [Int32: Int64], behind proofs: [Int32: RecordProof] = [:]
  ) throws(KafkaError) {
    precondition(readers.isEmpty, "a run assigns its partitions once")
    guard let list = rd_kafka_topic_partition_list_new(Int32(start.count)) else {
      throw KafkaError(KafkaError.Name.system, "librdkafka gave no partition list")
    }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for (partition, offset) in start.sorted(by: { $0.key < $1.key }) {
      let proof = proofs[partition].flatMap { $0.offset < offset ? $0 : nil }
      rd_kafka_topic_partition_list_add(list, topic, partition).pointee.offset =
        proof?.offset ?? offset
      readers.append(
        PartitionReader(
          topic: topic, partition: partition, offset: offset, queue: try ownQueue(of: partition),
          expected: proof))
    }
    let error = rd_kafka_assign(client.handle, list)
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw KafkaError(library: error, doing: "cannot start reading \(topic)", topic: topic)
    }
  }

  /// A partition's queue, cut off from the consumer's common one before fetching starts.
  ///
  /// The forward to nowhere marks the queue as the application's; the library then does not forward
  /// it itself when the partition is assigned.
  private func ownQueue(of partition: Int32) throws(KafkaError) -> OpaquePointer {
    guard let queue = rd_kafka_queue_get_partition(client.handle, topic, partition) else {
      throw KafkaError(
        KafkaError.Name.system, "librdkafka gave no queue for \(topic), partition \(partition)")
    }
    rd_kafka_queue_forward(queue, nil)
    var payload = EventDescriptor.payload
    rd_kafka_queue_io_event_enable(
      queue, signal.fileDescriptor, &payload, MemoryLayout<UInt64>.size)
    return queue
  }

  // MARK: Reading a batch

  /// Sets where the next batch ends in each partition, exclusive.
  package func beginBatch(upTo ends: [Int32: Int64]) {
    var remaining: Int64 = 0
    for reader in readers {
      let end = ends[reader.partition] ?? reader.position
      reader.begin(upTo: end)
      remaining = remaining.addingReportingOverflow(max(0, end - reader.position)).partialValue
    }
    if waker == nil, !KafkaLibrary.hasFetchBackoff, remaining >= Waker.worthwhile {
      // Without the thread the run is slow, not wrong.
      waker = try? Waker(client, topic: topic, partitions: metadata.partitionPerLeader)
    }
  }

  /// Whether every partition has reached its end of the batch.
  package var batchIsDone: Bool { readers.allSatisfy(\.isDone) }

  /// The partitions that have not, or whose proof has not come, each with the next offset it needs.
  package var unfinished: [(partition: Int32, position: Int64)] {
    readers.filter { !$0.isDone || $0.expected != nil }.map { ($0.partition, $0.position) }
  }

  /// The last record of each partition that had any in this batch; asked for once behind it.
  package func takeNewest() -> [Int32: RecordProof] {
    readers.reduce(into: [:]) { $0[$1.partition] = $1.takeNewest() }
  }

  /// Waits up to `timeoutMilliseconds` for the records that `assign` was given.
  ///
  /// - Returns: true once each was found to be the same, or to be gone.
  /// - Throws: `RECORD_CHANGED` where another one stands in its place, or a partition's error.
  package func compareProofs(timeoutMilliseconds: Int32) throws -> Bool {
    try serveClient()
    for reader in readers { try reader.compareExpected() }
    if readers.allSatisfy({ $0.expected == nil }) { return true }
    _ = signal.wait(.milliseconds(Int64(timeoutMilliseconds)))
    signal.clear()
    return false
  }

  /// The partitions whose proof was no longer there.
  package var unproven: [Int32] { readers.filter(\.isUnproven).map(\.partition) }

  /// Delivers what has arrived; when nothing has, waits up to `timeoutMilliseconds` for it.
  ///
  /// Records come in the order of their offsets within a partition and never from beyond the end
  /// of the batch; a record is borrowed for the duration of `handle`.
  /// - Returns: how many records were delivered.
  /// - Throws: a partition's error, or whatever `handle` threw.
  package func poll(
    timeoutMilliseconds: Int32, _ handle: (MessageView) throws -> Void
  ) throws -> Int {
    try serveClient()
    var delivered = try drain(handle)
    if delivered == 0, !batchIsDone {
      _ = signal.wait(.milliseconds(Int64(timeoutMilliseconds)))
      signal.clear()
      delivered = try drain(handle)
    }
    return delivered
  }

  private func drain(_ handle: (MessageView) throws -> Void) throws -> Int {
    var delivered = 0
    for reader in readers where !reader.isDone { delivered += try reader.drain(handle) }
    return delivered
  }

  /// Runs the library's callbacks, and judges what it reports outside of the partitions' queues.
  private func serveClient() throws(KafkaError) {
    while let message = rd_kafka_consumer_poll(client.handle, 0) {
      defer { rd_kafka_message_destroy(message) }
      try judge(message)
    }
    try client.throwIfHopeless()
  }

  private func judge(
    _ message: UnsafeMutablePointer<rd_kafka_message_t>
  ) throws(KafkaError) {
    let error = message.pointee.err
    if error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__PARTITION_EOF {
      throw KafkaError(
        KafkaError.Name.misrouted,
        "librdkafka \(KafkaLibrary.version.text) put a record of \(topic) into the common queue; "
          + "this version of the library cannot be used", topic: topic)
    }
    // No group is used: what the library cannot find out about one does not matter.
    guard Self.concernTopic.contains(error) else { return }
    throw KafkaError(
      library: error, doing: "topic \(topic) cannot be read",
      detail: text(rd_kafka_message_errstr(message)), topic: topic)
  }

  private static let concernTopic: [rd_kafka_resp_err_t] = [
    RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION,
    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR__FATAL,
  ]

  /// What connections and partitions reported last, for the text of a stall; empty when nothing.
  package var troubles: [String] {
    client.events.snapshot.reasons + readers.compactMap(\.trouble)
  }

  /// Destroys the client.
  ///
  /// Safe to call twice.
  ///
  /// - Returns: false when the library still hangs after ten seconds. Its thread cannot be
  ///   stopped, so the process should end soon.
  @discardableResult
  package func close() -> Bool {
    waker?.stop()
    waker = nil
    for reader in readers { reader.release() }
    readers = []
    return client.close(limit: .seconds(10))
  }

  // MARK: Settings

  /// Good for speed, and the operator's to change.
  private static let defaults = [
    ("fetch.wait.max.ms", "50"), ("fetch.message.max.bytes", "1048576"),
    ("reconnect.backoff.max.ms", "1000"), ("socket.keepalive.enable", "true"),
  ]

  private static func settings(
    _ configuration: KafkaConfiguration, partitions: Int
  ) -> [(String, String)] {
    // Measured with events of 250 bytes: the library's own structures double what the records take.
    // Below 1 MiB a partition is fetched in drops.
    let kilobytes = max(1024, configuration.queueBytes / 1024 / 2 / max(1, partitions))
    var settings = [
      ("group.id", configuration.group ?? configuration.clientID), ("check.crcs", "true"),
      ("auto.offset.reset", "error"), ("enable.partition.eof", "true"),
      ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
      ("isolation.level", "read_committed"), ("allow.auto.create.topics", "false"),
      ("queued.min.messages", "100000"), ("queued.max.messages.kbytes", String(kilobytes)),
    ]
    if KafkaLibrary.hasFetchBackoff { settings.append(("fetch.queue.backoff.ms", "1")) }
    return settings
  }
}
