internal import CRdKafka

/// One partition's own queue, and what was taken from it but not delivered yet.
///
/// A batch call may return records beyond the end of the batch; they stay here, in order, for the
/// next batch of the run.
final class PartitionReader {
  let partition: Int32
  private let queue: OpaquePointer
  private let buffer: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
  private var head = 0
  private var count = 0
  /// The offset after the last record delivered.
  private(set) var position: Int64
  /// Where the batch ends, exclusive.
  private var end: Int64
  /// Whether every record of the batch was delivered.
  private(set) var isDone = true
  /// The highest end of the partition that was reported.
  ///
  /// The library reports an end once, and it may lie beyond several batches without a visible
  /// record (aborted, compacted).
  private var reportedEnd: Int64 = -1
  /// What the broker said last instead of answering a fetch, and the library asks again after.
  private(set) var trouble: String?
  private let topic: String
  /// The record before `position` that must come first; `nil` once it was looked for.
  private(set) var expected: RecordProof?
  /// Whether that record was asked for and is no longer there.
  private(set) var isUnproven = false
  /// The last record delivered, held until the next one or the end of the batch.
  private var newest: UnsafeMutablePointer<rd_kafka_message_t>?

  /// Measured: 100 to 1000 messages a call cost the same, 10000 more (the cache).
  private static let capacity = 512

  /// - Parameters:
  ///   - queue: the partition's queue, not forwarded; owned from here on.
  ///   - expected: the record from which on, instead of from `offset` on, the library fetches.
  init(
    topic: String, partition: Int32, offset: Int64, queue: OpaquePointer, expected: RecordProof?
  ) {
    self.topic = topic
    self.partition = partition
    self.queue = queue
    position = offset
    end = offset
    self.expected = expected
    buffer = .allocate(capacity: Self.capacity)
  }

  /// Gives back what is still borrowed from librdkafka; before the handle is destroyed.
  func release() {
    while head < count { drop() }
    hold(nil)
    rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
    rd_kafka_queue_destroy(queue)
    buffer.deallocate()
  }

  func begin(upTo end: Int64) {
    self.end = end
    isDone = position >= end || reportedEnd >= end
  }

  /// Delivers what is there, in order, up to the end of the batch; does not wait.
  /// - Returns: how many records were delivered.
  /// - Throws: the partition's error; nothing after it is delivered.
  func drain(_ handle: (MessageView) throws -> Void) throws -> Int {
    var delivered = 0
    refill()
    while head < count, !isDone {
      guard let message = buffer[head] else { preconditionFailure("librdkafka gave no message") }
      if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
        if try deliver(message, handle) { delivered += 1 }
      } else {
        try note(message)
      }
    }
    return delivered
  }

  private func refill() {
    guard head == count else { return }
    head = 0
    count = max(0, rd_kafka_consume_batch_queue(queue, 0, buffer, Self.capacity))
  }

  private func deliver(
    _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ handle: (MessageView) throws -> Void
  ) throws -> Bool {
    let offset = message.pointee.offset
    guard offset >= position else { throw notRising(offset) }
    guard offset < end else {
      isDone = true
      return false
    }
    try handle(MessageView(message))
    position = offset + 1
    if position >= end { isDone = true }
    hold(message)
    head += 1
    return true
  }

  /// Looks for the record that must come first, in what is there; does not wait.
  /// - Throws: when another one stands in its place.
  func compareExpected() throws(KafkaError) {
    refill()
    while let expected, head < count {
      guard let message = buffer[head] else { preconditionFailure("librdkafka gave no message") }
      if message.pointee.err != RD_KAFKA_RESP_ERR_NO_ERROR {
        try note(message)
        if reportedEnd >= position { giveUpExpected() }
      } else if message.pointee.offset >= position {
        giveUpExpected()
      } else {
        defer { drop() }
        try compare(message, expected)
        self.expected = nil
      }
    }
  }

  /// Compaction or retention took it.
  private func giveUpExpected() {
    expected = nil
    isUnproven = true
  }

  private func compare(
    _ message: UnsafeMutablePointer<rd_kafka_message_t>, _ expected: RecordProof
  ) throws(KafkaError) {
    guard RecordProof(MessageView(message)) != expected else { return }
    throw KafkaError(
      KafkaError.Name.recordChanged,
      "\(place): offset \(message.pointee.offset) holds another record than the one that was read "
        + "from offset \(expected.offset)",
      topic: topic, partition: partition, offset: expected.offset)
  }

  private func hold(_ message: UnsafeMutablePointer<rd_kafka_message_t>?) {
    if let newest { rd_kafka_message_destroy(newest) }
    newest = message
  }

  /// Of the last record of the batch; `nil` when it had none.
  func takeNewest() -> RecordProof? {
    defer { hold(nil) }
    return newest.map { RecordProof(MessageView($0)) }
  }

  /// An event in the partition's queue that is not a record: its end, or its failure.
  private func note(_ message: UnsafeMutablePointer<rd_kafka_message_t>) throws(KafkaError) {
    defer { drop() }
    let error = message.pointee.err
    if KafkaError.isRefusalForNow(error) {
      // No record was passed over: the library asks again for the same offset.
      trouble = failure(message).message
      return
    }
    guard error == RD_KAFKA_RESP_ERR__PARTITION_EOF else { throw failure(message) }
    reportedEnd = max(reportedEnd, message.pointee.offset)
    // The rest of the range holds no visible record: compacted, aborted or control records.
    if reportedEnd >= end { isDone = true }
  }

  private func drop() {
    rd_kafka_message_destroy(buffer[head])
    head += 1
  }

  // MARK: Failures

  private func failure(_ message: UnsafeMutablePointer<rd_kafka_message_t>) -> KafkaError {
    let error = message.pointee.err
    let detail = text(rd_kafka_message_errstr(message))
    guard
      error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET
        || error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
    else {
      return KafkaError(
        library: error, doing: "\(place) cannot be read at offset \(position)", detail: detail,
        topic: topic, partition: partition, offset: position)
    }
    var missing = KafkaError(
      KafkaError.Name.offsetOutOfRange, "\(place) has no offset \(position): \(detail)",
      topic: topic, partition: partition, offset: position)
    missing.code = error.rawValue
    return missing
  }

  private func notRising(_ offset: Int64) -> KafkaError {
    KafkaError(
      KafkaError.Name.offsetNotRising,
      "\(place) returned offset \(offset) where \(position) or a higher one must come; "
        + "records were repeated or put out of order on the way",
      topic: topic, partition: partition, offset: position)
  }

  private var place: String { "partition \(partition) of topic \(topic)" }
}
