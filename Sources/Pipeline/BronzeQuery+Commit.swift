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
    guard case .committed(let version) = result else { throw conflict(result, in: tables.bronze) }
    if accounting.second != nil {
      try commitSecond(letters, batch: accounting.batch, to: tables.deadLetters)
    }
    _ = try checkpoint.addCommit(accounting.batch, CommitLogEntry())

    state.pending = nil
    state.nextBatch = accounting.batch + 1
    state.position.merge(accounting.partitions.mapValues(\.end)) { $1 }
    state.totals.merge(accounting.partitions.mapValues(\.total)) { $1 }
    state.lastCommitVersion = version
    state.noteMeanValueBytes(accounting)
    self.state = state
  }

  /// Commits the carried actions of the dead-letter table, from a batch or from recovery alike.
  func commitSecond(_ actions: [Action], batch: Int64, to table: DeltaTable) throws {
    var timestampMs: Int64 = 0
    for case .transaction(let transaction) in actions {
      timestampMs = transaction.lastUpdated ?? 0
    }
    let info = CommitInfo(
      timestamp: timestampMs, operation: "STREAMING UPDATE",
      operationParameters: ["outputMode": "Append", "epochId": String(batch)],
      isBlindAppend: true, engineInfo: ProgramVersion.engineInfo)
    let result = try table.commitAppend(
      actions, info: info, publisher: publisher, role: .deadLetterCommit)
    guard case .committed = result else { throw conflict(result, in: table) }
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
  ///
  /// Nothing here belongs to the batch: what fails is logged and made up for later.
  func maintain(_ tables: BronzeBatch.Tables) throws {
    let delta = configuration.delta
    let now = wallClockMilliseconds()
    for table in [tables.bronze, tables.deadLetters] {
      let needed =
        table === tables.bronze
        ? state?.lastCommitVersion ?? table.snapshot.version : table.snapshot.version
      do {
        let written = try table.writeCheckpointIfDue(
          interval: delta.checkpointInterval, now: now, publisher: publisher)
        guard let written else { continue }
        log.debug("\(table.path): wrote the log checkpoint of version \(written)")
        let removed = try table.cleanUpLog(
          keepingFrom: needed, retention: delta.logRetention.wholeMilliseconds, now: now,
          publisher: publisher)
        if !removed.isEmpty { log.info("\(table.path): removed \(removed.count) old log files") }
      } catch {
        let problem = PipelineError.translating(error)
        guard problem.kind != .outcomeUnknown else { throw problem }
        log.warning("\(table.path): log maintenance failed, rows are unharmed: \(problem)")
      }
    }
  }
}

extension Duration {
  /// Cut to milliseconds.
  package var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
