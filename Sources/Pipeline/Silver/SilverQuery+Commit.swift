internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

extension SilverQuery {
  /// Makes a staged batch part of the tables and of the checkpoint.
  ///
  /// The commit of the sessions table is the batch's one commit point: it carries the complete
  /// actions of the events table. What follows can be done again from there at any time.
  /// - Throws: before the commit point the batch never happened; after it, recovery finishes it.
  func commit(
    _ staged: SilverBatch.Staged, _ accounting: SilverAccounting, _ entry: OffsetLogEntry,
    in tables: (sessions: SessionsTable, events: EventsTable)
  ) throws {
    guard let queryID = state?.queryID else {
      preconditionFailure("a batch is committed only after recovery and planning")
    }
    let transaction = Action.transaction(
      SetTransaction(
        appID: queryID, version: accounting.batch, lastUpdated: entry.batchTimestampMs))
    var accounting = accounting
    let changes =
      staged.events.removes.map(Action.remove) + staged.events.adds.map(Action.add)
    let carried = changes + [transaction]
    if !changes.isEmpty {
      accounting.second = BatchAccounting.SecondTable(
        table: "clickstream_events", actions: try carried.map { try JSONValue.parse($0.line) })
    }
    let info = try commitInfo(staged, accounting, queryID, entry.batchTimestampMs)
    let table = tables.sessions.table
    try checkUnchanged(tables.events)
    let result = try table.commit(
      [transaction] + staged.sessions.removes.map(Action.remove)
        + staged.sessions.adds.map(Action.add),
      info: info, expecting: tables.sessions.indexedVersion, publisher: publisher,
      role: .sessionsCommit)
    guard case .committed = result else { throw PipelineError.conflict(result, in: table) }
    try PipelineError.behindCommitPoint(of: accounting.batch, in: table.path) {
      if accounting.second != nil {
        try CarriedCommit(actions: carried, batch: accounting.batch)
          .apply(to: tables.events.table, publisher: publisher, role: .eventsCommit)
      }
      _ = try checkpoint.addCommit(
        accounting.batch, CommitLogEntry(nextBatchWatermarkMs: accounting.nextWatermarkMs))
    }
    advance(past: accounting, entry)
    try tables.sessions.apply(
      adds: staged.sessions.adds, removes: staged.sessions.removes,
      parkedAfter: accounting.parkedAfter, quietPaths: staged.sessions.quietPaths)
    try tables.events.apply(adds: staged.events.adds, removes: staged.events.removes)
  }

  /// A batch that takes files out of the events table must not be committed on top of a commit that
  /// took them out already.
  private func checkUnchanged(_ events: EventsTable) throws {
    try events.table.refresh()
    let found = events.table.snapshot.version
    guard found == events.indexedVersion else {
      throw PipelineError.conflict(
        .conflict(version: found, reason: .versionTaken), in: events.table)
    }
  }

  private func advance(past accounting: SilverAccounting, _ entry: OffsetLogEntry) {
    state?.pending = nil
    state?.nextBatch = accounting.batch + 1
    state?.position = accounting.end
    state?.watermarkMs = entry.batchWatermarkMs
    state?.nextWatermarkMs = accounting.nextWatermarkMs
    state?.newestEvent = accounting.newestEvent
    state?.parkedAfter = accounting.parkedAfter
    state?.total = accounting.total
  }

  private func commitInfo(
    _ staged: SilverBatch.Staged, _ accounting: SilverAccounting, _ queryID: String,
    _ timestampMs: Int64
  ) throws -> CommitInfo {
    let sessions = staged.sessions
    return CommitInfo(
      timestamp: timestampMs, operation: "STREAMING UPDATE",
      operationParameters: [
        "outputMode": "Update", "queryId": queryID, "epochId": String(accounting.batch),
      ],
      isBlindAppend: false,
      operationMetrics: [
        "numAddedFiles": String(sessions.adds.count),
        "numRemovedFiles": String(sessions.removes.count),
        "numOutputBytes": String(sessions.adds.reduce(0) { $0 + $1.size }),
      ],
      engineInfo: ProgramVersion.engineInfo,
      shopmetrics: try JSONValue.parse(accounting.json).objectValue)
  }
}
