internal import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// Before and after the records of a batch: what it will be, and where they went.
extension BronzeQuery {
  /// The time of the next batch: the clock's, and later than that of all before it.
  func nextTimestamp() -> Int64 {
    max(wallClockMilliseconds(), (state?.lastTimestampMs ?? 0) + 1)
  }

  /// What the next batch is, as the offset log will have it.
  func nextEntry(upTo end: [Int32: Int64]) -> OffsetLogEntry {
    guard let state else { preconditionFailure("a batch is planned only after recovery") }
    return OffsetLogEntry(
      batchWatermarkMs: 0,
      batchTimestampMs: nextTimestamp(),
      confJSON: state.conf,
      sources: [
        KafkaOffsetsJSON.text(
          topic: configuration.kafka.topic, offsets: end,
          order: state.order.map { .like($0) } ?? .ascending)
      ])
  }

  /// Phase one: after this the next batch is `entry`.
  func logBatch(_ entry: OffsetLogEntry) throws {
    guard let batch = state?.nextBatch else {
      preconditionFailure("a batch is logged only after recovery")
    }
    guard try checkpoint.addOffsets(batch, entry) == .published else {
      throw PipelineError(
        "CONCURRENT_QUERY", .damaged,
        "\(checkpoint.offsetLog.directory)/\(batch) exists already: another program runs the "
          + "same query",
        remedy: "stop the other program (Spark with this checkpoint?), then restart")
    }
    state?.pending = entry
    state?.lastTimestampMs = entry.batchTimestampMs
    try checkpoint.purge(newest: batch, log: log)
  }

  /// Where every offset of a staged batch went, and all before it.
  func accounting(
    of batch: Int64, from start: [Int32: Int64], upTo end: [Int32: Int64],
    _ staged: BronzeBatch.Staged, newest: [Int32: RecordProof] = [:]
  ) -> BatchAccounting {
    var partitions: [Int32: PartitionAccount] = [:]
    for (partition, last) in end {
      let first = start[partition] ?? last
      let good = staged.good[partition] ?? 0
      let dead = staged.dead[partition] ?? 0
      let absent = last - first - good - dead
      precondition(absent >= 0, "more records than offsets in a range")
      var total = state?.totals[partition] ?? PartitionAccount.Total(start: first)
      total.good += good
      total.dead += dead
      total.absent += absent
      partitions[partition] = PartitionAccount(
        start: first, end: last, good: good, dead: dead, absent: absent, total: total,
        // A range without a visible record ends in nothing that could be compared later.
        newest: newest[partition] ?? (first == last ? state?.newest[partition] : nil))
    }
    return BatchAccounting(
      query: Self.name, batch: batch, topic: configuration.kafka.topic,
      valueBytes: staged.valueBytes, partitions: partitions, second: nil)
  }
}
