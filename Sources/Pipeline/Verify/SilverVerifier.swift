internal import DeltaLake
internal import DurableIO
internal import Parquet
internal import StreamCheckpoint

/// Checks Silver's tables and checkpoint against each other and against Bronze, from the files
/// alone and without writing.
///
/// Every byte of every data file is read. Memory: one row group of sessions or one column chunk of
/// events, and the names of the files of all tables.
struct SilverVerifier {
  let configuration: Configuration
  let state: SilverState
  let checkpoint: SilverCheckpointAudit
  var report: VerificationReport
  var counts = SilverCounts()
  /// Files that were vacuumed while they were read: the daemon had replaced them.
  private var replacedFiles = 0
  private var unreadFiles = 0
  private var eventsInSessions: Int64 = 0

  /// - Parameter report: of Bronze; goes on in `self.report`.
  /// - Throws: `PipelineError`, `SystemError`; damage is a finding.
  init(_ configuration: Configuration, _ report: VerificationReport) throws {
    self.configuration = configuration
    state = try SilverState(configuration.paths)
    checkpoint = try SilverCheckpointAudit(state.checkpoint)
    var findings = try state.damage.map(StateVerifier.finding)
    for finding in checkpoint.findings where !findings.contains(finding) {
      findings.append(finding)
    }
    self.report = report
    self.report.findings += findings
  }

  /// - Parameter deepRows: compute Silver from Bronze again, so many rows at once; `nil`: do not.
  mutating func run(deepRows: Int?) throws {
    try noteRebuild()
    if state.isWhole, !state.isSwitching {
      report.note(
        RecoveryRow.matching(state.observation), state.observation, state.tables,
        in: RecoveryRow.Places(
          checkpoint: state.checkpoint.path, first: "clickstream_sessions",
          second: "clickstream_events"))
    }
    let files = try liveFiles()
    for file in files.sessions { try checkSessions(file) }
    for file in files.events { try checkEvents(file) }
    if state.isWhole { try checkCommits() }
    if state.isWhole, let accounting = state.accounting {
      try compare(accounting, files, deepRows: deepRows)
    } else if !state.tables.isEmpty {
      report.notes.append(
        "Silver's totals are not compared, because no batch can be read that says them")
    }
    try noteLeftovers()
    if !state.tables.isEmpty { report.silver = counts }
  }

  private mutating func compare(
    _ accounting: SilverAccounting, _ files: LiveFiles, deepRows: Int?
  ) throws {
    let wasSound = unreadFiles + replacedFiles == 0
    if wasSound { checkTotals(accounting) } else { noteUnreadFiles() }
    guard let bronze = try checkSource(accounting), let deepRows else { return }
    guard wasSound, let sessions = state.sessions, let events = state.events else {
      report.notes.append("Silver is not computed again, because not all of its files can be read")
      return
    }
    let stored = SilverRecomputation.Stored(
      sessions: sessions, sessionFiles: files.sessions, events: events, eventFiles: files.events)
    try recompute(SilverRecomputation(bronze, stored, gap: gap, rowsPerPass: deepRows), stored)
  }

  private mutating func recompute(
    _ recomputation: SilverRecomputation, _ stored: SilverRecomputation.Stored
  ) throws {
    var recomputation = recomputation
    do {
      try recomputation.run()
    } catch {
      let problem = PipelineError.translating(error)
      guard problem.kind == .damaged || problem.kind == .source else { throw error }
      if try hasReplaced(stored.sessionFiles, of: stored.sessions)
        || hasReplaced(stored.eventFiles, of: stored.events)
      {
        report.notes.append(
          "Silver is not computed again, because the daemon replaced files meanwhile: verify again")
        return
      }
      report.find(
        "FILE_UNREADABLE", configuration.paths.stateDirectory,
        expected: "rows from which Silver can be computed again", found: problem.message)
    }
    report.findings += recomputation.differences.findings
    report.notes += recomputation.differences.notes
    counts.recomputedRows = recomputation.rowCount
  }

  // MARK: Notes

  private mutating func noteRebuild() throws {
    let folder = configuration.paths.silverRebuild
    if state.isSwitching {
      report.notes.append(
        "\(folder): a rebuild is taking the tables' place; the daemon finishes that when it "
          + "starts, and so does `shopmetricsctl silver rebuild --yes`")
    } else if try Files.exists(folder) {
      report.notes.append(
        "\(folder): a rebuild is at work or was interrupted; `shopmetricsctl silver rebuild --yes` "
          + "goes on with it, the live tables are not touched before it is complete")
    }
    guard let table = state.sessions,
      let known = table.snapshot.metadata.configuration[SessionsSchema.Property.gap],
      known != String(configuration.silver.sessionGap.wholeMilliseconds)
    else { return }
    report.notes.append(
      "\(table.path) was made with a session gap of \(known) ms, silver.session_gap is "
        + "\(configuration.silver.sessionGap.wholeMilliseconds) ms: the daemon refuses that")
  }

  private mutating func noteUnreadFiles() {
    report.notes.append(
      replacedFiles > 0
        ? "Silver's totals are not compared, because the daemon replaced files meanwhile: verify "
          + "again"
        : "Silver's totals are not compared, because not all files could be read")
  }

  private mutating func noteLeftovers() throws {
    let paths = configuration.paths
    var pending: Set<String> = []
    for case .add(let file) in try state.pendingActions() { pending.insert(file.filePath) }
    let isAtWork = InstanceLock.holder(path: paths.lock) != nil
    report.notes += try Leftovers(isAtWork: isAtWork).notes(
      tables: state.tables, checkpoint: state.checkpoint.path,
      logs: [paths.sessions, paths.events], named: pending)
  }

  // MARK: Files

  /// What the tables hold once the newest batch is finished.
  struct LiveFiles {
    var sessions: [AddFile] = []
    var events: [AddFile] = []
  }

  private mutating func liveFiles() throws -> LiveFiles {
    var files = LiveFiles()
    do {
      files.sessions = try state.sessions?.liveFiles() ?? []
      files.events = try state.eventFiles()
    } catch {
      report.findings.append(try StateVerifier.finding(error))
      unreadFiles += 1
    }
    counts.files = files.sessions.count + files.events.count
    return files
  }

  private mutating func checkSessions(_ add: AddFile) throws {
    guard let table = state.sessions else { return }
    let path = "\(table.path)/\(add.filePath)"
    let file: SessionFile
    do {
      file = try SessionFile(add, table: table.path)
    } catch {
      unreadFiles += 1
      return report.find(
        "SESSION_PLACE", path, expected: "true or false as its value of is_final",
        found: (add.partitionValues[SessionsSchema.partitionColumn] ?? nil) ?? "null")
    }
    var rows = SessionRowCheck(path: path, isFinal: file.isFinal, placement: placement)
    let audit = DataFileAudit(add, of: table, &rows)
    guard try !isReplaced(audit, add, table) else { return }
    report.findings += audit.findings + rows.findings
    if !audit.isRead { unreadFiles += 1 }
    counts.sessions += rows.rowCount
    if !file.isFinal { counts.openSessions += rows.rowCount }
    eventsInSessions = eventsInSessions.clampedAdding(rows.eventCount)
  }

  private mutating func checkEvents(_ add: AddFile) throws {
    guard let table = state.events else { return }
    var rows = NoRowCheck()
    let audit = DataFileAudit(add, of: table, &rows)
    guard try !isReplaced(audit, add, table) else { return }
    report.findings += audit.findings
    if !audit.isRead { unreadFiles += 1 }
    counts.events += audit.rowCount
  }

  /// Whether a missing file has left the table since the verification began.
  private mutating func isReplaced(
    _ audit: DataFileAudit, _ add: AddFile, _ table: DeltaTable
  ) throws -> Bool {
    guard audit.findings.contains(where: { $0.code == "FILE_MISSING" }),
      try hasReplaced([add], of: table)
    else { return false }
    replacedFiles += 1
    return true
  }

  /// Whether some of these files left the table meanwhile and were removed.
  private func hasReplaced(_ files: [AddFile], of table: DeltaTable) throws -> Bool {
    let gone = try files.filter { try !Files.exists("\(table.path)/\($0.filePath)") }
    guard !gone.isEmpty, let now = try DeltaTable.open(path: table.path) else { return false }
    let live = Set(try now.liveFiles().map(\.path))
    return gone.contains { !live.contains($0.path) }
  }

  /// Microseconds; the tables' own.
  private var gap: Int64 {
    let stated = state.sessions?.snapshot.metadata.configuration[SessionsSchema.Property.gap]
    let milliseconds =
      stated.flatMap { Int64($0) } ?? configuration.silver.sessionGap.wholeMilliseconds
    return milliseconds.clampedMultiplied(by: 1000)
  }

  private var placement: SessionRowCheck.Placement? {
    guard let accounting = state.accounting, let batch = checkpoint.batches[accounting.batch] else {
      return nil
    }
    return SessionRowCheck.Placement(
      gap: gap, watermark: batch.watermarkMs.clampedMultiplied(by: 1000),
      parkedAfter: accounting.parkedAfter,
      timestamp: batch.timestampMs.clampedMultiplied(by: 1000))
  }

  // MARK: Totals

  /// Every unique event is a row, and counts in one session.
  private mutating func checkTotals(_ accounting: SilverAccounting) {
    let unique = accounting.total.unique
    report.compare(
      "ROW_COUNT", "\(configuration.paths.events), batch \(accounting.batch)", unique,
      counts.events)
    report.compare(
      "EVENTS_IN_SESSIONS", "\(configuration.paths.sessions), batch \(accounting.batch)", unique,
      eventsInSessions)
  }

  /// Bronze is the table that Silver was made from, and holds as many rows as were read.
  private mutating func checkSource(_ accounting: SilverAccounting) throws -> BronzeExtent? {
    let path = configuration.paths.bronze
    do {
      guard let bronze = try BronzeExtent(upTo: accounting.end, of: path) else {
        report.notes.append(
          "\(path): the log no longer tells which rows Silver has read; they are not compared")
        return nil
      }
      if let rows = bronze.statedRowCount {
        report.compare(
          "SOURCE_ROWS", "\(path), up to version \(accounting.end.version)", rows,
          accounting.total.read)
      }
      if bronze.goesOn {
        report.notes.append(
          "Silver is behind Bronze: it has read \(path) up to version \(accounting.end.version) of "
            + "\(bronze.table.snapshot.version)")
      }
      return bronze
    } catch let error as PipelineError {
      report.find(
        error.code, path, expected: "the Bronze that Silver has read", found: error.message)
    } catch {
      report.findings.append(try StateVerifier.finding(error))
    }
    return nil
  }
}

/// Rows that are asked nothing but what columns and statistics say.
private struct NoRowCheck: RowCheck {
  func take(_ values: ColumnValues, of leaf: LeafColumn) {}
  func finishRowGroup(_ rowGroup: Int, rowCount: Int) -> [Finding] { [] }
}
