internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

extension SilverQuery {
  /// Reads checkpoint and tables, finishes a batch whose commit point was passed, and removes what
  /// a crash left behind.
  ///
  /// Reads no row of Bronze.
  ///
  /// - Throws: `PipelineError` when the tables were made with another session gap, when a row of
  ///   the recovery table refuses, or when a file is damaged; nothing was written then.
  package func recover() throws {
    forgetState()
    try checkpoint.settle(
      [paths.sessions, paths.events], below: configuration.paths.stateDirectory, publisher)
    let queryID = try checkpoint.queryID()
    let sessionsTable = try openTable(paths.sessions)
    let eventsTable = try openTable(paths.events)
    if let sessionsTable {
      try Self.checkRules(of: sessionsTable, gap: configuration.silver.sessionGap)
    }
    guard let queryID else { return try recoverNewCheckpoint([sessionsTable, eventsTable]) }

    let newest = try newestCommit(queryID, in: sessionsTable)
    let found = RecoveryObservation(
      offsets: try checkpoint.offsetLog.batchIDs().last,
      commits: try checkpoint.commitLog.batchIDs().last,
      firstTable: sessionsTable?.snapshot.transactionVersion(of: queryID),
      secondTable: eventsTable?.snapshot.transactionVersion(of: queryID),
      carriesSecond: newest?.second != nil)
    let row = RecoveryRow.matching(found)
    try RecoveryRow.checkQuery(queryID, of: sessionsTable, found, checkpoint: checkpoint.path)
    guard !row.isRefusal else { throw row.refusal(found, in: places) }
    // Nothing else reads it, and damage should be found while a copy is still at hand.
    if let newest = found.commits { _ = try checkpoint.commit(newest) }
    var state = try readState(queryID, found, newest)
    if row == .finishBatch, let batch = found.offsets {
      try PipelineError.behindCommitPoint(of: batch, in: paths.sessions) {
        try finishBatch(batch, found, newest, eventsTable)
      }
    }
    if row == .replayBatch, let batch = found.offsets {
      state.pending = try checkpoint.offsets(batch)
    }
    // First, because the sweep moves the tables on to what other programs committed meanwhile.
    try sweep([sessionsTable, eventsTable])
    try openContents(sessionsTable, eventsTable, parkedAfter: state.parkedAfter)
    if let newest = found.offsets { try checkpoint.purge(newest: newest, log: log) }
    self.state = state
    row.announce(nextBatch: state.nextBatch, prefix: "silver ", in: log)
  }

  private func recoverNewCheckpoint(_ tables: [DeltaTable?]) throws {
    try RecoveryRow.checkUnwritten(
      tables, checkpoint: checkpoint.path, otherwise: "run \(SilverRebuild.command)")
    try sweep(tables)
    try openContents(tables[0], tables[1], parkedAfter: nil)
    state = State()
    RecoveryRow.startNew.announce(nextBatch: 0, prefix: "silver ", in: log)
  }

  private func openTable(_ path: String) throws -> DeltaTable? {
    let table = try DeltaTable.open(path: path)
    for warning in table?.snapshot.warnings ?? [] where !isMeant(warning) {
      log.warning("\(path): \(warning)")
    }
    return table
  }

  /// The short retention of the sessions table is the operator's own setting.
  private func isMeant(_ warning: String) -> Bool {
    warning.hasPrefix(Self.retentionProperty)
  }

  func openContents(
    _ sessionsTable: DeltaTable?, _ eventsTable: DeltaTable?, parkedAfter: Int64?
  ) throws {
    if let sessionsTable {
      let contents = try SessionsTable(
        table: sessionsTable, configuration: configuration, publisher: publisher)
      try contents.reload(parkedAfter: parkedAfter)
      sessions = contents
    }
    if let eventsTable {
      let contents = EventsTable(
        table: eventsTable, configuration: configuration, publisher: publisher)
      try contents.reload()
      events = contents
    }
  }

  private var places: RecoveryRow.Places {
    RecoveryRow.Places(
      checkpoint: checkpoint.path, first: "clickstream_sessions", second: "clickstream_events",
      alternative: "; or run \(SilverRebuild.command)")
  }

  // MARK: Reading

  /// The accounting of the newest batch, from its commit point.
  private func newestCommit(
    _ queryID: String, in table: DeltaTable?
  ) throws -> SilverAccounting? {
    guard let table, let version = table.snapshot.transactionVersion(of: queryID) else {
      return nil
    }
    guard let found = try table.commitInfo(ofTransaction: queryID, version: version),
      let accounting = found.info.shopmetrics.flatMap(SilverAccounting.init),
      accounting.batch == version
    else {
      throw PipelineError(
        "TABLE_DAMAGED", .damaged,
        "\(table.path): the commit of batch \(version) with its accounting is not in the log",
        remedy: "restore _delta_log from a copy of the table, or run "
          + SilverRebuild.command)
    }
    return accounting
  }

  private func readState(
    _ queryID: String, _ found: RecoveryObservation, _ newest: SilverAccounting?
  ) throws -> State {
    var state = State()
    state.queryID = queryID
    if let newest {
      state.nextWatermarkMs = newest.nextWatermarkMs
      state.newestEvent = newest.newestEvent
      state.parkedAfter = newest.parkedAfter
      state.total = newest.total
    }
    guard let batch = found.offsets else { return state }
    let complete = found.firstTable == batch ? batch : batch - 1
    for id in max(0, batch - 2)...batch {
      guard let entry = try checkpoint.offsets(id) else { continue }
      try advance(&state, to: entry, id: id, isComplete: id <= complete)
    }
    if let newest, state.position != newest.end {
      throw CheckpointError(
        path: "\(checkpoint.offsetLog.directory)/\(newest.batch)", field: "line 3",
        expected: "\(newest.end.json), as the batch's commit says",
        found: state.position?.json ?? "no such file")
    }
    state.nextBatch = complete + 1
    return state
  }

  private func advance(
    _ state: inout State, to entry: OffsetLogEntry, id: Int64, isComplete: Bool
  ) throws {
    let offset = try sourceOffset(entry, id)
    if let before = state.position, offset.isBefore(before) {
      throw CheckpointError(
        path: "\(checkpoint.offsetLog.directory)/\(id)", field: "line 3",
        expected: "an offset from \(before.json)", found: offset.json)
    }
    state.conf = entry.confJSON
    state.lastTimestampMs = max(state.lastTimestampMs, entry.batchTimestampMs)
    guard isComplete else { return }
    state.position = offset
    state.watermarkMs = entry.batchWatermarkMs
  }

  // MARK: Acting

  /// Row D: the commit point was passed; everything else follows from what that commit carries.
  private func finishBatch(
    _ batch: Int64, _ found: RecoveryObservation, _ newest: SilverAccounting?,
    _ eventsTable: DeltaTable?
  ) throws {
    guard let newest else { preconditionFailure("row D has a commit of the batch") }
    if let second = newest.second, found.secondTable != batch {
      guard let eventsTable else {
        throw PipelineError(
          "TABLE_MISSING", .damaged,
          "\(paths.events) is gone; batch \(batch) has rows for it",
          remedy: "restore the table, or run \(SilverRebuild.command)")
      }
      try CarriedCommit(actions: second.actions.map { try Action($0) }, batch: batch)
        .apply(to: eventsTable, publisher: publisher, role: .eventsCommit)
    }
    _ = try checkpoint.addCommit(
      batch, CommitLogEntry(nextBatchWatermarkMs: newest.nextWatermarkMs))
  }

  /// Removes temporary files, and data files that no commit names.
  private func sweep(_ tables: [DeltaTable?]) throws {
    let count = try checkpoint.removeLeftovers(
      of: [Self.name], at: [paths.sessions, paths.events], tables, publisher)
    log.noteLeftovers(count, prefix: "silver: ")
  }
}
