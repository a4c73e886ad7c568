internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

/// Checks tables and checkpoint against each other, from the files alone and without writing.
package struct StateVerifier {
  private let state: StateReader
  private var report = VerificationReport()

  /// - Throws: `PipelineError` for damage that leaves nothing to compare.
  package static func verify(_ configuration: Configuration) throws -> VerificationReport {
    var verifier = StateVerifier(state: try StateReader(configuration))
    do {
      try verifier.run()
    } catch {
      throw PipelineError.translating(error)
    }
    return verifier.report
  }

  private init(state: StateReader) {
    self.state = state
  }

  private mutating func run() throws {
    try checkRecoveryRow()
    try checkLogs()
    guard let bronze = state.bronze else { return }
    let events = try TableScan(bronze)
    let letters = try state.deadLetters.map { try TableScan($0) }
    report.findings += events.findings + (letters?.findings ?? [])
    report.bronzeRows = events.rows
    report.deadLetterRows = letters?.rows ?? 0
    report.files = events.files + (letters?.files ?? 0)
    checkUnique(events.offsets, letters?.offsets ?? [:])
    checkTotals(events.offsets, letters?.offsets ?? [:])
    try checkCommits(bronze)
    try noteOrphans()
  }

  // MARK: Checkpoint

  private mutating func checkRecoveryRow() throws {
    let row = RecoveryRow.matching(state.observation)
    switch row {
    case .startNew, .nextBatch: break
    case .replayBatch, .finishBatch:
      report.notes.append(
        "batch \(state.observation.offsets ?? 0) is pending (row \(row.rawValue)): the daemon is "
          + "at work on it, or will finish it at its next start")
    default:
      find(
        "STATE_CONTRADICTS", state.paths.bronzeCheckpoint,
        expected: "offsets, commits and tables at the same batch",
        found: "offsets \(Self.text(state.observation.offsets)), commits "
          + "\(Self.text(state.observation.commits)), clickstream_raw "
          + "\(Self.text(state.observation.firstTable)), clickstream_dead_letter "
          + "\(Self.text(state.observation.secondTable)) (row \(row.rawValue))")
    }
  }

  private static func text(_ batch: Int64?) -> String { batch.map(String.init) ?? "none" }

  /// Every file of both logs, its checksum, and offsets that never go back.
  private mutating func checkLogs() throws {
    var before: [Int32: Int64] = [:]
    let ids = try state.checkpoint.offsetLog.batchIDs()
    report.batches = Int64(ids.count)
    for id in ids {
      let path = "\(state.checkpoint.offsetLog.directory)/\(id)"
      do {
        guard let entry = try state.checkpoint.offsets(id), let text = entry.sources.first,
          let text
        else { continue }
        let offsets = try KafkaOffsetsJSON.parse(text, path: path).offsets
        for (partition, offset) in before where (offsets[partition] ?? -1) < offset {
          find(
            "OFFSETS_WENT_BACK", "\(path), partition \(partition)",
            expected: "an offset from \(offset)", found: Self.text(offsets[partition]))
        }
        before = offsets
      } catch let error as CheckpointError {
        find("CHECKPOINT_DAMAGED", path, expected: error.expected, found: error.found)
      }
    }
    for id in try state.checkpoint.commitLog.batchIDs() {
      do {
        _ = try state.checkpoint.commit(id)
      } catch let error as CheckpointError {
        find("CHECKPOINT_DAMAGED", error.path, expected: error.expected, found: error.found)
      }
    }
  }

  // MARK: Rows

  /// A record is one row, in one of the two tables.
  private mutating func checkUnique(
    _ events: [Int32: OffsetIntervals], _ letters: [Int32: OffsetIntervals]
  ) {
    for partition in Set(events.keys).union(letters.keys).sorted() {
      var all = events[partition] ?? OffsetIntervals()
      if let other = letters[partition] { all.formUnion(other) }
      guard let offset = all.firstDuplicate() else { continue }
      find(
        "DUPLICATE_OFFSET", "partition \(partition)", expected: "offset \(offset) in one row",
        found: "it is in two or more")
    }
  }

  /// Rows and absent offsets make up the whole range since the stream began.
  private mutating func checkTotals(
    _ events: [Int32: OffsetIntervals], _ letters: [Int32: OffsetIntervals]
  ) {
    guard let accounting = state.accounting else {
      report.notes.append("the newest batch has no accounting of ours; gaps are not checked")
      return
    }
    for (partition, account) in accounting.partitions.sorted(by: { $0.key < $1.key }) {
      let place = "partition \(partition)"
      let rows = events[partition] ?? OffsetIntervals()
      let dead = letters[partition] ?? OffsetIntervals()
      compare("ROW_COUNT", "\(place), clickstream_raw", account.total.good, rows.count)
      compare("ROW_COUNT", "\(place), clickstream_dead_letter", account.total.dead, dead.count)
      compare(
        "CONTINUITY", "\(place), end of batch \(accounting.batch)", account.end,
        account.total.end)
      for (table, intervals) in [("clickstream_raw", rows), ("clickstream_dead_letter", dead)] {
        guard let low = intervals.lowest, let end = intervals.end else { continue }
        guard low < account.total.start || end > account.end else { continue }
        find(
          "OFFSET_OUTSIDE", "\(place), \(table)",
          expected: "offsets \(account.total.start) to \(account.end - 1)",
          found: "\(low) to \(end - 1)")
      }
    }
  }

  private mutating func compare(
    _ code: String, _ place: String, _ expected: Int64, _ found: Int64
  ) {
    guard expected != found else { return }
    find(code, place, expected: RunReport.grouped(expected), found: RunReport.grouped(found))
  }

  // MARK: Commits

  /// Each batch's commit against its own accounting, as far as the log still holds it.
  private mutating func checkCommits(_ bronze: DeltaTable) throws {
    var version = bronze.snapshot.version
    var later: [Int32: PartitionAccount] = [:]
    while version >= 0, let actions = try bronze.actions(ofVersion: version) {
      if let object = actions.commitInfo?.shopmetrics, let account = BatchAccounting(object) {
        checkRows(of: account, actions, place: "\(bronze.path), version \(version)")
        checkContinuity(account, before: later)
        try checkSecond(account)
        later.merge(account.partitions) { $1 }
      }
      version -= 1
    }
  }

  private mutating func checkRows(
    of accounting: BatchAccounting, _ actions: [Action], place: String
  ) {
    var rows: Int64 = 0
    for case .add(let file) in actions {
      let stats = file.stats.flatMap { try? JSONValue.parse($0) }?.objectValue
      rows += stats?.int64("numRecords") ?? 0
    }
    compare("BATCH_ROWS", "\(place), batch \(accounting.batch)", accounting.goodCount, rows)
    for (partition, account) in accounting.partitions {
      compare(
        "BATCH_RANGE", "\(place), batch \(accounting.batch), partition \(partition)",
        account.end - account.start, account.good + account.dead + account.absent)
    }
  }

  private mutating func checkContinuity(
    _ accounting: BatchAccounting, before later: [Int32: PartitionAccount]
  ) {
    for (partition, next) in later {
      guard let account = accounting.partitions[partition] else { continue }
      compare(
        "CONTINUITY", "partition \(partition), after batch \(accounting.batch)", account.end,
        next.start)
    }
  }

  /// What a batch carries for the dead-letter table must be what that table got.
  private mutating func checkSecond(_ accounting: BatchAccounting) throws {
    guard let second = accounting.second, let queryID = state.queryID,
      let letters = state.deadLetters
    else { return }
    let isPending =
      RecoveryRow.matching(state.observation) == .finishBatch
      && state.observation.firstTable == accounting.batch
    guard
      let commit = try letters.commitInfo(ofTransaction: queryID, version: accounting.batch)
    else {
      let newest = letters.snapshot.transactionVersion(of: queryID) ?? -1
      if !isPending, newest < accounting.batch {
        find(
          "LETTERS_MISSING", "\(letters.path), batch \(accounting.batch)",
          expected: "the commit that clickstream_raw carries", found: "none")
      }
      return
    }
    let expected = second.actions.map(\.text)
    let found = commit.actions.filter { if case .commitInfo = $0 { false } else { true } }
      .map(\.line)
    guard expected != found else { return }
    find(
      "LETTERS_DIFFER", "\(letters.path), version \(commit.tableVersion)",
      expected: "the actions that batch \(accounting.batch) carries", found: "other actions")
  }

  /// Data files that no log entry names: left by a crash, removed at the daemon's next start.
  private mutating func noteOrphans() throws {
    for table in [state.bronze, state.deadLetters].compactMap({ $0 }) {
      var named = Set(try table.liveFiles().map(\.filePath))
      named.formUnion(try table.tombstones().map(\.filePath))
      let orphans = try Files.list(table.path).filter {
        $0.hasSuffix(".parquet") && !named.contains($0)
      }
      guard !orphans.isEmpty else { continue }
      report.notes.append("\(table.path): \(orphans.count) data files that no commit names")
    }
  }

  private mutating func find(
    _ code: String, _ place: String, expected: String, found: String
  ) {
    report.findings.append(Finding(code, place, expected: expected, found: found))
  }
}
