internal import DeltaLake
package import DurableIO
internal import JSON
internal import StreamCheckpoint

/// Makes the Silver tables anew from Bronze, beside the old ones, then takes their place.
///
///     silver/.rebuild/clickstream_sessions, clickstream_events   whole tables of their own
///     silver/.rebuild/checkpoint                                 of the new query
///     silver/.rebuild/intent                                     the new tables are complete
///
/// The work is done by the same query as ever, only in another place; killed, it goes on from its
/// own checkpoint. The switch has one commit point, the commit of the live sessions table: before
/// it readers see the old tables, after it the new ones. What follows that commit (the events
/// table, the checkpoint, the clean-up) is finished by whoever comes next.
package final class SilverRebuild {
  /// What an operator types, for the remedies of errors.
  package static let command = "`shopmetricsctl silver rebuild --yes`"

  let configuration: Configuration
  let publisher: Publisher
  let log: Log
  let live: SilverPaths
  let fresh: SilverPaths
  let root: String
  private let lock: InstanceLock

  package init(configuration: Configuration, lock: InstanceLock, log: Log) {
    self.configuration = configuration
    self.lock = lock
    self.log = log
    publisher = Publisher(lock: lock, log: log)
    live = .live(configuration.paths)
    fresh = .rebuild(configuration.paths)
    root = configuration.paths.silverRebuild
  }

  /// What a rebuild did.
  package struct Outcome: Equatable, Sendable {
    /// `nil` when an earlier rebuild had only to be finished.
    package var report: SilverReport?
    package var wasStopped = false
  }

  /// Rebuilds, from where an interrupted rebuild stopped.
  ///
  /// - Throws: `PipelineError`; readers see the old tables or the new ones, whole.
  package func execute(_ context: RunContext) throws -> Outcome {
    do {
      if try finishSwitch() { return Outcome() }
      var (query, report) = try workThroughBronze(context)
      // How long ago the rows came says nothing here.
      (report.meanLatencyMs, report.greatestLatencyMs) = (nil, nil)
      guard !report.wasStopped else { return Outcome(report: report, wasStopped: true) }
      try logIntent(of: query)
      try switchTables()
      _ = try finishSwitch()
      report.sessionsVersion = try DeltaTable.open(path: live.sessions)?.snapshot.version
      report.eventsVersion = try DeltaTable.open(path: live.events)?.snapshot.version
      return Outcome(report: report)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  // MARK: The new tables

  private func workThroughBronze(
    _ context: RunContext
  ) throws -> (SilverQuery, SilverReport) {
    do {
      return try runQuery(context)
    } catch let problem as PipelineError where isOutdated(problem) {
      log.notice("silver rebuild: what was begun does not fit any more (\(problem.code)); anew")
      try removeAll()
      return try runQuery(context)
    }
  }

  private func runQuery(_ context: RunContext) throws -> (SilverQuery, SilverReport) {
    let query = SilverQuery(
      configuration: configuration, paths: fresh, beginsWithSnapshot: true, lock: lock, log: log)
    let report = try query.run(context, isDrained: false)
    guard query.lastBatch != nil || report.wasStopped else {
      throw PipelineError(
        "BRONZE_EMPTY", .configuration,
        "\(configuration.paths.bronze) has no rows to make Silver from",
        remedy: "let the daemon ingest something first")
    }
    return (query, report)
  }

  /// Whether a rebuild that was begun earlier cannot be gone on with: other rules, or a Bronze
  /// log that has moved on.
  private func isOutdated(_ problem: PipelineError) -> Bool {
    let codes = [
      "SESSION_GAP_CHANGED", "SESSION_RULES_CHANGED", "CHECKPOINT_MISSING", "STATE_CONTRADICTS",
      "BRONZE_RECREATED", "BRONZE_LOG_GAP", "BRONZE_REWRITTEN", "BRONZE_FILE_MISSING",
    ]
    return codes.contains(problem.code) && (try? Files.exists(root)) == true
  }

  // MARK: The switch

  /// From here on the new tables are complete, and what is left is the switch.
  private func logIntent(of query: SilverQuery) throws {
    guard let state = query.state, let queryID = state.queryID, let batch = query.lastBatch,
      let position = state.position
    else { preconditionFailure("a query that has worked knows its id and its batch") }
    let intent = RebuildIntent(queryID: queryID, batch: batch, bronzeVersion: position.version)
    _ = try publisher.publish(
      intent.bytes, as: RebuildIntent.name, in: root, role: .rebuildIntent, mode: .replace,
      sidecar: false)
  }

  func intent() throws -> RebuildIntent? {
    let path = "\(root)/\(RebuildIntent.name)"
    return try Files.readIfPresent(path).map { try RebuildIntent(bytes: $0, path: path) }
  }

  /// The commit point: the live sessions table becomes the new one, and its commit carries what
  /// the live events table becomes.
  private func switchTables() throws {
    guard let intent = try intent(), let newSessions = try DeltaTable.open(path: fresh.sessions),
      let newEvents = try DeltaTable.open(path: fresh.events),
      let newest = try newSessions.commitInfo(
        ofTransaction: intent.queryID, version: intent.batch),
      var accounting = newest.info.shopmetrics.flatMap(SilverAccounting.init)
    else {
      throw PipelineError(
        "REBUILD_DAMAGED", .damaged, "\(root): expected two complete tables and the intent",
        remedy: "remove that folder and run \(Self.command) again")
    }
    let now = wallClockMilliseconds()
    let transaction = Action.transaction(
      SetTransaction(appID: intent.queryID, version: intent.batch, lastUpdated: now))
    let sessions = try liveTable(live.sessions, like: newSessions, role: .sessionsCommit)
    let events = try liveTable(live.events, like: newEvents, role: .eventsCommit)
    try linkFiles(of: newSessions, into: sessions, role: .sessionsData)
    try linkFiles(of: newEvents, into: events, role: .eventsData)
    let carried = try replacement(of: events, by: newEvents, at: now) + [transaction]
    accounting.second = BatchAccounting.SecondTable(
      table: "clickstream_events", actions: try carried.map { try JSONValue.parse($0.line) })
    let info = CommitInfo(
      timestamp: now, operation: "REBUILD",
      operationParameters: [
        "queryId": intent.queryID, "bronzeVersion": String(intent.bronzeVersion),
      ],
      isBlindAppend: false, engineInfo: ProgramVersion.engineInfo,
      shopmetrics: try JSONValue.parse(accounting.json).objectValue)
    let actions = try [transaction] + replacement(of: sessions, by: newSessions, at: now)
    let result = try sessions.commit(
      actions, info: info, expecting: sessions.snapshot.version, publisher: publisher,
      role: .sessionsCommit)
    guard case .committed = result else { throw PipelineError.conflict(result, in: sessions) }
  }

  private func liveTable(
    _ path: String, like other: DeltaTable, role: FileRole
  ) throws -> DeltaTable {
    if let table = try DeltaTable.open(path: path) { return table }
    var metadata = other.snapshot.metadata
    metadata.id = RandomUUID.text()
    return try DeltaTable.createEmpty(
      path: path, metadata: metadata, publisher: publisher, role: role)
  }

  /// Gives the new table's data files a second name below the live table's folder, durably.
  private func linkFiles(of new: DeltaTable, into table: DeltaTable, role: FileRole) throws {
    var folders: Set<String> = []
    for file in try new.liveFiles() {
      let name = file.filePath
      let folder = name.split(separator: "/").dropLast().joined(separator: "/")
      if folders.insert(folder).inserted { try Files.makeDirectories("\(table.path)/\(folder)") }
      try publisher.link("\(new.path)/\(name)", to: "\(table.path)/\(name)", role: role)
    }
    for folder in folders.sorted() {
      try publisher.syncDirectory("\(table.path)/\(folder)", role: role)
    }
  }

  private func replacement(
    of table: DeltaTable, by new: DeltaTable, at timestampMs: Int64
  ) throws -> [Action] {
    var metadata = table.snapshot.metadata
    metadata.schemaString = new.snapshot.metadata.schemaString
    metadata.partitionColumns = new.snapshot.metadata.partitionColumns
    metadata.configuration = new.snapshot.metadata.configuration
    let removes = try table.liveFiles().map {
      Action.remove($0.removal(at: timestampMs, dataChange: true))
    }
    return [.metadata(metadata)] + removes + (try new.liveFiles().map(Action.add))
  }
}
