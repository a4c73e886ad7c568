internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

extension BronzeQuery {
  /// Makes a staged batch part of the tables and of the checkpoint.
  ///
  /// The commit of the Bronze table is the batch's one commit point: it carries the complete
  /// actions of the dead-letter table. What follows can be done again from there at any time.
  /// - Throws: before the commit point the batch never happened; after it, recovery finishes it.
  func commit(
    _ staged: BronzeBatch.Staged, _ accounting: BatchAccounting, timestampMs: Int64,
    in tables: BronzeBatch.Tables
  ) throws {
    guard var state, let queryID = state.queryID else {
      preconditionFailure("a batch is committed only after recovery and planning")
    }
    let transaction = Action.transaction(
      SetTransaction(appID: queryID, version: accounting.batch, lastUpdated: timestampMs))
    var accounting = accounting
    let letters = staged.deadLetterFiles.map(Action.add) + [transaction]
    if !staged.deadLetterFiles.isEmpty {
      accounting.second = BatchAccounting.SecondTable(
        table: "clickstream_dead_letter",
        actions: try letters.map { try JSONValue.parse($0.line) })
    }
    let info = try commitInfo(staged, accounting, queryID, timestampMs)
    let result = try tables.bronze.commitAppend(
      [transaction] + staged.bronzeFiles.map(Action.add), info: info, publisher: publisher,
      role: .bronzeCommit)
    guard case .committed(let version) = result else {
      throw PipelineError.conflict(result, in: tables.bronze)
    }
    try PipelineError.behindCommitPoint(of: accounting.batch, in: tables.bronze.path) {
      if accounting.second != nil {
        try CarriedCommit(actions: letters, batch: accounting.batch)
          .apply(to: tables.deadLetters, publisher: publisher, role: .deadLetterCommit)
      }
      _ = try checkpoint.addCommit(accounting.batch, CommitLogEntry())
    }

    state.pending = nil
    state.nextBatch = accounting.batch + 1
    state.position.merge(accounting.partitions.mapValues(\.end)) { $1 }
    state.totals.merge(accounting.partitions.mapValues(\.total)) { $1 }
    for (partition, account) in accounting.partitions { state.newest[partition] = account.newest }
    state.lastCommitVersion = version
    state.noteMeanValueBytes(accounting)
    self.state = state
  }

  private func commitInfo(
    _ staged: BronzeBatch.Staged, _ accounting: BatchAccounting, _ queryID: String,
    _ timestampMs: Int64
  ) throws -> CommitInfo {
    CommitInfo(
      timestamp: timestampMs, operation: "STREAMING UPDATE",
      operationParameters: [
        "outputMode": "Append", "queryId": queryID, "epochId": String(accounting.batch),
      ],
      isBlindAppend: true,
      operationMetrics: [
        "numAddedFiles": String(staged.bronzeFiles.count),
        "numOutputRows": String(accounting.goodCount),
        "numOutputBytes": String(staged.bronzeFiles.reduce(0) { $0 + $1.size }),
        "numRemovedFiles": "0",
      ],
      engineInfo: ProgramVersion.engineInfo,
      shopmetrics: try JSONValue.parse(accounting.json).objectValue)
  }

  /// Log checkpoints and log clean-up, when they are due.
  func maintain(_ tables: BronzeBatch.Tables) throws {
    let maintenance = LogMaintenance(configuration.delta, publisher: publisher, log: log)
    try maintenance.keepUp(tables.bronze) {
      let own = state?.lastCommitVersion ?? tables.bronze.snapshot.version
      return min(own, try oldestVersionNeeded() ?? own)
    }
    try maintenance.keepUp(tables.deadLetters) { tables.deadLetters.snapshot.version }
  }
}
