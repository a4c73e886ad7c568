internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

extension BronzeQuery {
  /// Reads checkpoint and tables, finishes a batch whose commit point was passed, and removes what
  /// a crash left behind.
  ///
  /// Reads nothing from Kafka.
  ///
  /// - Throws: `PipelineError` when a row of the recovery table refuses, or when a file is damaged;
  ///   nothing was written then.
  package func recover() throws {
    forgetState()
    let paths = configuration.paths
    try checkpoint.settle(
      [paths.bronze, paths.deadLetter], below: paths.stateDirectory, publisher)
    let queryID = try checkpoint.queryID()
    bronze = try openTable(paths.bronze)
    deadLetters = try openTable(paths.deadLetter)
    if let bronze { try StateFit.checkColumns(of: bronze, configuration) }
    guard let queryID else { return try recoverNewCheckpoint() }

    let offsetIDs = try checkpoint.offsetLog.batchIDs()
    let commitIDs = try checkpoint.commitLog.batchIDs()
    let newest = try newestCommit(queryID)
    let found = RecoveryObservation(
      offsets: offsetIDs.last, commits: commitIDs.last,
      firstTable: bronze?.snapshot.transactionVersion(of: queryID),
      secondTable: deadLetters?.snapshot.transactionVersion(of: queryID),
      carriesSecond: newest?.accounting?.second != nil)
    let row = RecoveryRow.matching(found)
    if row == .startNew, bronze.map(EarlierStreams.areNone) ?? true { try checkUnwritten() }
    try RecoveryRow.checkQuery(queryID, of: bronze, found, checkpoint: checkpoint.path)
    guard !row.isRefusal else { throw row.refusal(found, in: Self.places(paths)) }
    var state = try readState(queryID, found, newest)
    if row == .finishBatch, let batch = found.offsets {
      try PipelineError.behindCommitPoint(of: batch, in: paths.bronze) {
        try finishBatch(batch, queryID, found, newest)
      }
    }
    try finishRetry()
    if row == .replayBatch, let batch = found.offsets {
      state.pending = try checkpoint.offsets(batch)
    }
    try sweep()
    if let newest = found.offsets { try checkpoint.purge(newest: newest, log: log) }
    self.state = state
    row.announce(nextBatch: state.nextBatch, in: log)
  }

  private func recoverNewCheckpoint() throws {
    try checkUnwritten()
    try sweep()
    state = State()
    RecoveryRow.startNew.announce(nextBatch: 0, in: log)
  }

  /// What a checkpoint without a batch fits to.
  private func checkUnwritten() throws {
    try RecoveryRow.checkUnwritten(
      [bronze, deadLetters], checkpoint: checkpoint.path,
      otherwise: Self.wayOutWithoutCheckpoint)
  }

  private func openTable(_ path: String) throws -> DeltaTable? {
    let table = try DeltaTable.open(path: path)
    for warning in table?.snapshot.warnings ?? [] { log.warning("\(path): \(warning)") }
    return table
  }

  static let wayOutWithoutCheckpoint =
    "make it again with `shopmetricsctl checkpoint rebuild`"

  static func places(_ paths: StatePaths) -> RecoveryRow.Places {
    RecoveryRow.Places(
      checkpoint: paths.bronzeCheckpoint, first: "clickstream_raw",
      second: "clickstream_dead_letter")
  }

  // MARK: Reading

  /// The commit of the newest batch in the first table.
  struct NewestCommit {
    var tableVersion: Int64
    /// With the totals as later retries of dead letters leave them; `nil` when another program
    /// wrote the commit, such as Spark.
    var accounting: BatchAccounting?
  }

  private func newestCommit(_ queryID: String) throws -> NewestCommit? {
    guard let bronze, let version = bronze.snapshot.transactionVersion(of: queryID),
      let found = try bronze.commitInfo(ofTransaction: queryID, version: version)
    else { return nil }
    guard let object = found.info.shopmetrics else {
      return NewestCommit(tableVersion: found.tableVersion, accounting: nil)
    }
    guard let accounting = BatchAccounting(object), accounting.batch == version else {
      throw PipelineError(
        "TABLE_DAMAGED", .damaged,
        "\(bronze.path), version \(found.tableVersion): commitInfo.shopmetrics is not the "
          + "accounting of batch \(version)",
        remedy: "restore that file of _delta_log from a copy of the table")
    }
    return NewestCommit(
      tableVersion: found.tableVersion,
      accounting: try bronze.totals(of: accounting, since: found.tableVersion))
  }

  private func readState(
    _ queryID: String, _ found: RecoveryObservation, _ newest: NewestCommit?
  ) throws -> State {
    var state = State()
    state.queryID = queryID
    let initial = try checkpoint.initialOffsets().map {
      try StateFit.offsets($0, in: "\(checkpoint.path)/sources/0/0", configuration)
    }
    state.hasInitialOffsets = initial != nil
    state.position = initial?.offsets ?? [:]
    state.lastCommitVersion = newest?.tableVersion
    state.lastTimestampMs = max(
      bronze?.snapshot.transaction(of: DeadLetterRetry.name)?.lastUpdated ?? 0,
      bronze.map(EarlierStreams.newestTimeMs) ?? 0)
    guard let batch = found.offsets else { return state }
    let complete = found.firstTable == batch ? batch : batch - 1
    for id in max(0, batch - 1)...batch {
      guard let entry = try checkpoint.offsets(id) else {
        throw CheckpointError(
          path: "\(checkpoint.offsetLog.directory)/\(id)", field: "file",
          expected: "the offsets of batch \(id)", found: "no such file")
      }
      try advance(&state, to: entry, id: id, isComplete: id <= complete)
    }
    state.nextBatch = complete + 1
    state.totals = newest?.accounting?.partitions.mapValues(\.total) ?? [:]
    state.newest = newest?.accounting?.partitions.compactMapValues(\.newest) ?? [:]
    if let accounting = newest?.accounting { state.noteMeanValueBytes(accounting) }
    return state
  }

  private func advance(
    _ state: inout State, to entry: OffsetLogEntry, id: Int64, isComplete: Bool
  ) throws {
    let path = "\(checkpoint.offsetLog.directory)/\(id)"
    guard entry.sources.count == 1, let text = entry.sources[0] else {
      throw CheckpointError(
        path: path, field: "line 3", expected: "the offsets of one Kafka source",
        found: "\(entry.sources.count) sources")
    }
    let offsets = try StateFit.offsets(text, in: path, configuration)
    for (partition, before) in state.position {
      guard let now = offsets.offsets[partition] else {
        throw CheckpointError(
          path: path, field: "partition \(partition)", expected: "an offset from \(before)",
          found: "nothing")
      }
      guard now >= before else {
        throw CheckpointError(
          path: path, field: "partition \(partition)", expected: "an offset from \(before)",
          found: "\(now)")
      }
    }
    state.order = offsets.order
    state.conf = entry.confJSON
    state.lastTimestampMs = max(state.lastTimestampMs, entry.batchTimestampMs)
    if isComplete { state.position = offsets.offsets }
  }

  // MARK: Acting

  /// Row D: the commit point was passed; everything else follows from what that commit carries.
  private func finishBatch(
    _ batch: Int64, _ queryID: String, _ found: RecoveryObservation, _ newest: NewestCommit?
  ) throws {
    if let second = newest?.accounting?.second, found.secondTable != batch {
      guard let deadLetters else {
        throw PipelineError(
          "TABLE_MISSING", .damaged,
          "\(configuration.paths.deadLetter) is gone; batch \(batch) has rows for it",
          remedy: "restore the table")
      }
      try CarriedCommit(actions: second.actions.map { try Action($0) }, batch: batch)
        .apply(to: deadLetters, publisher: publisher, role: .deadLetterCommit)
    }
    _ = try checkpoint.addCommit(batch, CommitLogEntry())
  }

  /// Removes temporary files, and data files that no commit names.
  private func sweep() throws {
    try publisher.removeTree(configuration.paths.checkpointWork)
    let count = try checkpoint.removeLeftovers(
      of: [Self.name, DeadLetterRetry.name],
      at: [configuration.paths.bronze, configuration.paths.deadLetter],
      [bronze, deadLetters], publisher)
    log.noteLeftovers(count)
  }
}

extension BronzeQuery.State {
  mutating func noteMeanValueBytes(_ accounting: BatchAccounting) {
    let records = accounting.goodCount + accounting.deadCount
    if records > 0 { meanValueBytes = Double(accounting.valueBytes) / Double(records) }
  }
}
