internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

/// Why offsets are in no row but a `data_loss` letter.
enum LossCause: String {
  case gone = "are no longer on the broker"
  case skipped = "were skipped by an operator"
}

/// What an operator's commands do to the stream.
extension BronzeQuery {
  /// Takes back a batch that is logged and in no table: it never happened.
  func withdrawPending() throws {
    guard let state, state.pending != nil else { return }
    try checkpoint.withdrawOffsets(state.nextBatch)
    self.state?.pending = nil
    log.notice("batch \(state.nextBatch) was logged and not committed; it is planned anew")
  }

  /// One batch that reads no record: each range becomes a letter.
  ///
  /// The letters are staged before the batch is logged, so that the time in which a crash leaves
  /// a pending batch is short; recovery would read what the brokers hold of these offsets.
  /// - Returns: the batch.
  func passOver(
    _ ranges: [Int32: Range<Int64>], _ cause: LossCause, clusterID: String?
  ) throws -> Int64 {
    let tables = try prepareTables(clusterID: clusterID)
    guard let state, state.pending == nil else {
      preconditionFailure("offsets are passed over after recovery, with no batch pending")
    }
    let start = state.position.merging(ranges.mapValues(\.lowerBound)) { known, _ in known }
    let end = start.merging(ranges.mapValues(\.upperBound)) { $1 }
    let entry = nextEntry(upTo: end)
    let batch = BronzeBatch(
      tables, id: state.nextBatch, timestampMs: entry.batchTimestampMs,
      partitions: Int(end.keys.max() ?? 0) + 1, buffers: try BronzeBatch.Buffers(tables),
      decoder: decoder)
    for (partition, range) in ranges.sorted(by: { $0.key < $1.key }) {
      batch.add(lost: range, partition: partition, cause)
    }
    let staged: BronzeBatch.Staged
    do {
      staged = try batch.finish()
    } catch {
      batch.discard()
      throw error
    }
    try logBatch(entry)
    try commit(
      staged, accounting(of: state.nextBatch, from: start, upTo: end, staged),
      timestampMs: entry.batchTimestampMs, in: tables)
    return state.nextBatch
  }

  /// Lets another query go on with the tables, from `target`.
  ///
  /// The commit point is the exchange of the checkpoint directories. What the tables' properties
  /// say of the old query before that counts only once another one is there.
  /// - Returns: the new query's id.
  func endStream(
    beginningAnotherAt target: [Int32: Int64], in place: CheckpointPlace
  ) throws -> String {
    let fresh = try place.makeFresh()
    let queryID = try fresh.createQueryIfNeeded()
    try fresh.addInitialOffsets(
      KafkaOffsetsJSON.text(
        topic: configuration.kafka.topic, offsets: target, order: .ascending))
    try recordTotals()
    try place.takeFresh()
    forgetState()
    return queryID
  }

  /// Keeps in the table what the query that ends has put there.
  private func recordTotals() throws {
    guard let state, let old = state.queryID, let batch = lastBatch, let bronze else { return }
    let beginnings = try checkpoint.initialOffsets().map {
      try StateFit.offsets($0, in: "\(checkpoint.path)/sources/0/0", configuration).offsets
    }
    var partitions: [Int32: PartitionAccount] = [:]
    for (partition, end) in state.position {
      // Another program's batches have none, and those behind them count from there.
      let total = state.totals[partition] ?? PartitionAccount.Total(start: end)
      partitions[partition] = PartitionAccount(
        start: beginnings?[partition] ?? total.start, end: end, good: 0, dead: 0, absent: 0,
        total: total)
    }
    let record = BatchAccounting(
      query: Self.name, batch: batch, topic: configuration.kafka.topic, valueBytes: 0,
      partitions: partitions, second: nil)
    let metadata = EarlierStreams.adding(record, of: old, to: bronze.snapshot.metadata)
    guard metadata != bronze.snapshot.metadata else { return }
    _ = try bronze.commit(
      metadata, operation: "SET TBLPROPERTIES", publisher: publisher, role: .bronzeCommit)
  }
}
