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
        row, state.observation, state.earlierStreams.isEmpty ? tables : [],
        in: BronzeQuery.places(state.paths))
      report.note(state.retries, in: state.paths.bronze)
    }
    try checkFiles()
    if !state.earlierStreams.isEmpty {
      report.notes.append(
        "an operator reset the stream \(state.earlierStreams.count) times: offsets that were read "
          + "again are in more than one row")
    }
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
      starts: state.streamStarts)
    let audit = DataFileAudit(file, of: table, &origins)
    report.findings += audit.findings
    let offsets = origins.takeOffsets { partition, offset in
      noteDuplicate(partition, offset, in: audit.path, "two rows of this file")
    }
    for (partition, runs) in offsets.sorted(by: { $0.key < $1.key }) {
      guard let repeated = seen[partition, default: OffsetRuns()].formUnion(runs) else {
        continue
      }
      let other =
        events.fileAround(repeated, of: partition, otherThan: file.path)
        ?? letters.fileAround(repeated, of: partition, otherThan: file.path)
      noteDuplicate(
        partition, repeated, in: audit.path, "another row in \(other ?? "another file")")
    }
    guard audit.isRead else { return nil }
    var rows = origins.rows
    rows.ingestedAt = audit.integers(of: "ingested_at")
    return rows
  }

  /// A record is one row, in one of the two tables, unless a reset let two streams take it; that
  /// there are not more rows than that is what the totals say.
  private mutating func noteDuplicate(
    _ partition: Int32, _ offset: Int64, in path: String, _ found: String
  ) {
    guard taken.count(where: { $0[partition]?.contains(offset) == true }) < 2 else { return }
    report.find(
      "DUPLICATE_OFFSET", path, expected: "partition \(partition), offset \(offset) in one row",
      found: found)
  }

  /// Rows and absent offsets make up the whole range since the stream began.
  private mutating func checkTotals() {
    if state.accounting == nil, state.observation.firstTable != nil {
      report.notes.append("the newest batch has no accounting of ours; totals are not compared")
      return
    }
    let streams = state.streams
    guard let newest = streams.last else { return }
    guard events.unreadFiles + letters.unreadFiles == 0 else {
      report.notes.append("totals are not compared, because not all files could be read")
      return
    }
    let known = streams.reduce(into: Set<Int32>()) { $0.formUnion($1.partitions.keys) }
    for partition in known.sorted() {
      checkTotals(of: partition, streams.compactMap { $0.partitions[partition] })
    }
    for partition in events.partitions.union(letters.partitions).subtracting(known).sorted() {
      report.find(
        "OFFSET_OUTSIDE", "partition \(partition)",
        expected: "partitions of batch \(newest.batch)", found: "rows of another one")
    }
  }

  /// - Parameter accounts: of each stream that took offsets of the partition, the newest one last.
  private mutating func checkTotals(of partition: Int32, _ accounts: [PartitionAccount]) {
    let current = state.accounting?.partitions[partition]
    if let current {
      report.compare(
        "CONTINUITY", "partition \(partition), end of its totals", current.end, current.total.end)
    }
    // The letters of a batch whose second commit is still to come are not there yet.
    let isWaiting =
      row == .finishBatch && state.accounting?.second != nil
      && state.observation.secondTable != state.observation.firstTable
    let good = accounts.reduce(0) { $0 + $1.total.good }
    let dead = accounts.reduce(0) { $0 + $1.total.dead } - (isWaiting ? current?.dead ?? 0 : 0)
    let (rows, deadRows) = (events.records(of: partition), letters.records(of: partition))
    let place = "partition \(partition)"
    if state.earlierStreams.isEmpty {
      report.compare("ROW_COUNT", "\(place), clickstream_raw", good, rows?.counted ?? 0)
      report.compare("ROW_COUNT", "\(place), clickstream_dead_letter", dead, deadRows?.counted ?? 0)
    } else if isFullyCounted(partition) {
      // Which stream's a letter was that a retry has moved, its commit does not say.
      report.compare(
        "ROW_COUNT", "\(place), both tables", good + dead,
        (rows?.counted ?? 0) + (deadRows?.counted ?? 0))
    } else {
      report.notes.append(
        "\(place): another program wrote batches of a stream that was reset or that followed; "
          + "its rows are not counted")
    }
    let first = accounts.map { min($0.start, $0.total.start) }.min() ?? 0
    let start = min(first, checkpoint.initialOffsets?[partition] ?? first)
    let end = accounts.map(\.end).max() ?? 0
    for (name, found) in [("clickstream_raw", rows), ("clickstream_dead_letter", deadRows)] {
      guard let offsets = found?.offsets, offsets.lowerBound < start || offsets.upperBound >= end
      else { continue }
      report.find(
        "OFFSET_OUTSIDE", "\(place), \(name)", expected: "offsets \(start) to \(end - 1)",
        found: "\(offsets.lowerBound) to \(offsets.upperBound)")
    }
  }
}
