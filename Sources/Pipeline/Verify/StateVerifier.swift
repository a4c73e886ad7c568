internal import DeltaLake
internal import StreamCheckpoint

/// Checks tables and checkpoint against each other, from the files alone and without writing.
///
/// Every byte of every data file is read. A daemon may be at work meanwhile: what it commits after
/// the start is left for the next verification.
///
/// Memory for Bronze: one column chunk, the names of the files, and sixteen bytes for each gap in
/// the offsets. For Silver see `SilverVerifier` and `SilverRecomputation`.
package struct StateVerifier {
  let state: StateReader
  let row: RecoveryRow
  var report: VerificationReport
  var events = TableRows()
  var letters = TableRows()
  let checkpoint: CheckpointAudit

  /// - Parameters:
  ///   - isDeep: also compute Silver from Bronze again and compare every row.
  ///   - deepRows: how many rows of Bronze are then held at once.
  /// - Throws: `PipelineError` when the file system refuses; damage is a finding.
  package static func verify(
    _ configuration: Configuration, isDeep: Bool = false,
    deepRows: Int = SilverRecomputation.rowsPerPass
  ) throws -> VerificationReport {
    do {
      var verifier = try StateVerifier(configuration)
      try verifier.run()
      // After Bronze: what Silver has read is in it by then.
      var silver = try SilverVerifier(configuration, verifier.report)
      try silver.run(deepRows: isDeep ? deepRows : nil)
      return silver.report
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private init(_ configuration: Configuration) throws {
    var report = VerificationReport()
    state = try StateReader(configuration) { error in
      report.findings.append(try Self.finding(error))
    }
    row = RecoveryRow.matching(state.observation)
    checkpoint = try CheckpointAudit(state.checkpoint)
    for finding in checkpoint.findings where !report.findings.contains(finding) {
      report.findings.append(finding)
    }
    self.report = report
  }

  /// Damage as a finding; the file system's refusals are none.
  static func finding(_ error: any Error) throws -> Finding {
    if let error = error as? CheckpointError { return .damaged(error) }
    let problem = PipelineError.translating(error)
    guard problem.kind == .damaged, let error = error as? DeltaError else { throw error }
    let place = error.version.map { "\(error.tablePath), version \($0)" } ?? error.tablePath
    return Finding("TABLE_DAMAGED", place, expected: "a whole log", found: error.message)
  }

  private mutating func run() throws {
    if state.isWhole {
      report.note(
        row, state.observation, tables,
        in: RecoveryRow.Places(
          checkpoint: state.paths.bronzeCheckpoint, first: "clickstream_raw",
          second: "clickstream_dead_letter"))
      report.note(state.retries, in: state.paths.bronze)
    }
    try checkFiles()
    if state.isWhole {
      checkTotals()
      try checkCommits()
    } else {
      report.notes.append(
        "totals and batches are not compared, because not everything could be read")
    }
    let paths = state.paths
    report.notes += try Leftovers(isAtWork: state.holder() != nil).notes(
      tables: tables, checkpoint: paths.bronzeCheckpoint, logs: [paths.bronze, paths.deadLetter],
      named: Set(
        (state.pendingRetry?.second.actions.compactMap { try? Action($0) } ?? []).addedFiles
          .map(\.filePath)))
  }

  private var tables: [DeltaTable] { [state.bronze, state.deadLetters].compactMap { $0 } }

  // MARK: Rows

  /// All files of both tables, in the order in which they were written.
  private mutating func checkFiles() throws {
    var all: [(table: DeltaTable, file: AddFile)] = []
    for table in tables {
      do {
        let files = try table.liveFiles()
        all += (table === state.deadLetters ? afterRetry(files) : files).map { (table, $0) }
      } catch {
        report.findings.append(try Self.finding(error))
      }
    }
    all.sort { ($0.file.modificationTime, $0.file.path) < ($1.file.modificationTime, $1.file.path) }
    var seen: [Int32: OffsetRuns] = [:]
    for (table, file) in all {
      guard let rows = audit(file, of: table, &seen) else {
        if table === state.bronze { events.noteUnread() } else { letters.noteUnread() }
        continue
      }
      if table === state.bronze { events.note(rows, file) } else { letters.note(rows, file) }
    }
    report.files = all.count
    report.bronzeRows = events.rowCount
    report.deadLetterRows = letters.rowCount
  }

  /// The letters' files as they are once a pending retry is complete: until then its records are
  /// in both tables.
  private func afterRetry(_ files: [AddFile]) -> [AddFile] {
    guard let pending = state.pendingRetry else { return files }
    let actions = pending.second.actions.compactMap { try? Action($0) }
    var removed: Set<String> = []
    for case .remove(let file) in actions { removed.insert(file.filePath) }
    return files.filter { !removed.contains($0.filePath) } + actions.addedFiles
  }

  /// Where the rows of a file came from; `nil` when it could not be read.
  private mutating func audit(
    _ file: AddFile, of table: DeltaTable, _ seen: inout [Int32: OffsetRuns]
  ) -> FileRows? {
    var origins = OriginCheck(
      path: "\(table.path)/\(file.filePath)",
      starts: state.accounting?.partitions.mapValues(\.total.start) ?? [:])
    let audit = DataFileAudit(file, of: table, &origins)
    report.findings += audit.findings
    let offsets = origins.takeOffsets(&report.findings)
    for (partition, runs) in offsets.sorted(by: { $0.key < $1.key }) {
      guard let repeated = seen[partition, default: OffsetRuns()].formUnion(runs) else {
        continue
      }
      noteDuplicate(partition, repeated, in: audit.path, file.path)
    }
    guard audit.isRead else { return nil }
    var rows = origins.rows
    rows.ingestedAt = audit.integers(of: "ingested_at")
    return rows
  }

  /// A record is one row, in one of the two tables.
  private mutating func noteDuplicate(
    _ partition: Int32, _ offset: Int64, in path: String, _ name: String
  ) {
    let other =
      events.fileAround(offset, of: partition, otherThan: name)
      ?? letters.fileAround(offset, of: partition, otherThan: name)
    report.find(
      "DUPLICATE_OFFSET", path, expected: "partition \(partition), offset \(offset) in one row",
      found: "another row in \(other ?? "another file")")
  }

  /// Rows and absent offsets make up the whole range since the stream began.
  private mutating func checkTotals() {
    guard let accounting = state.accounting else {
      if state.observation.firstTable != nil {
        report.notes.append("the newest batch has no accounting of ours; totals are not compared")
      }
      return
    }
    guard events.unreadFiles + letters.unreadFiles == 0 else {
      report.notes.append("totals are not compared, because not all files could be read")
      return
    }
    for (partition, account) in accounting.partitions.sorted(by: { $0.key < $1.key }) {
      checkTotals(account, partition)
    }
    for partition in events.partitions.union(letters.partitions).sorted()
    where accounting.partitions[partition] == nil {
      report.find(
        "OFFSET_OUTSIDE", "partition \(partition)",
        expected: "partitions of batch \(accounting.batch)", found: "rows of another one")
    }
  }

  private mutating func checkTotals(_ account: PartitionAccount, _ partition: Int32) {
    let total = account.total
    report.compare(
      "CONTINUITY", "partition \(partition), end of its totals", account.end, total.end)
    // The letters of a batch whose second commit is still to come are not there yet.
    let isWaiting =
      row == .finishBatch && state.accounting?.second != nil
      && state.observation.secondTable != state.observation.firstTable
    let start = min(total.start, checkpoint.initialOffsets?[partition] ?? total.start)
    for (name, table, count) in [
      ("clickstream_raw", events, total.good),
      ("clickstream_dead_letter", letters, total.dead - (isWaiting ? account.dead : 0)),
    ] {
      let place = "partition \(partition), \(name)"
      report.compare(
        "ROW_COUNT", place, count, table.records(of: partition)?.counted ?? 0)
      guard let offsets = table.records(of: partition)?.offsets,
        offsets.lowerBound < start || offsets.upperBound >= account.end
      else { continue }
      report.find(
        "OFFSET_OUTSIDE", place, expected: "offsets \(start) to \(account.end - 1)",
        found: "\(offsets.lowerBound) to \(offsets.upperBound)")
    }
  }
}
