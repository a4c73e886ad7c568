internal import DeltaLake
internal import DurableIO

extension SilverQuery {
  /// Opens both tables, creating what is missing, and brings properties and columns up to date.
  ///
  /// - Throws: `SESSION_GAP_CHANGED` or `TABLE_SCHEMA`; nothing was changed then.
  func prepareTables(bronze: DeltaTable) throws -> (sessions: SessionsTable, events: EventsTable) {
    if sessions == nil || events == nil {
      let sessionsTable = try create(
        paths.sessions, SessionsSchema.table, partitionColumns: SessionsSchema.partitionColumns,
        description: "One row per visit: the events of a visitor without a longer pause",
        properties: rules, role: .sessionsCommit)
      let eventsTable = try create(
        paths.events, EventsSchema.of(bronze: bronze.snapshot.schema),
        description: "One row per click event, duplicates dropped", role: .eventsCommit)
      try openContents(sessionsTable, eventsTable, parkedAfter: state?.parkedAfter)
    }
    guard let table = sessions?.table, let eventsTable = events?.table else {
      preconditionFailure("both tables were just opened")
    }
    try Self.checkRules(of: table, gap: configuration.silver.sessionGap)
    try updateProperties(of: table)
    try addColumns(of: bronze, to: eventsTable)
    if let sessions, let events { try takeOverForeignCommits(sessions, events) }
    guard let sessions, let events else { preconditionFailure("both tables were just opened") }
    return (sessions, events)
  }

  /// Another program may have compacted a table meanwhile; what this process knows of its files is
  /// then read anew.
  private func takeOverForeignCommits(
    _ sessions: SessionsTable, _ events: EventsTable
  ) throws {
    try sessions.table.refresh()
    try events.table.refresh()
    let foreign =
      sessions.table.snapshot.version - sessions.indexedVersion
      + events.table.snapshot.version - events.indexedVersion
    guard foreign > 0 else { return }
    log.info("silver: \(foreign) commits that this query did not make")
    openSessions = nil
    try openContents(sessions.table, events.table, parkedAfter: state?.parkedAfter)
  }

  private func create(
    _ path: String, _ schema: StructType, partitionColumns: [String] = [], description: String,
    properties: [String: String] = [:], role: FileRole
  ) throws -> DeltaTable {
    let name = path.split(separator: "/").last.map(String.init)
    let metadata = TableMetadata(
      id: RandomUUID.text(), name: name, description: description,
      schemaString: schema.schemaString, partitionColumns: partitionColumns,
      configuration: properties, createdTime: wallClockMilliseconds())
    return try DeltaTable.createEmpty(
      path: path, metadata: metadata, publisher: publisher, role: role)
  }

  // MARK: Rules

  /// What the sessions table remembers of how it was made, and how long it keeps removed files.
  private var rules: [String: String] {
    let retention = configuration.silver.removedFileRetention.wholeMilliseconds
    return [
      SessionsSchema.Property.gap: String(gap / 1000),
      SessionsSchema.Property.lateness: String(watermark.latenessMs),
      SessionsSchema.Property.rules: String(SessionsSchema.rulesVersion),
      Self.retentionProperty: "interval \(retention) milliseconds",
    ]
  }

  /// How long files stay that left a table (Delta protocol, "Table Properties").
  static let retentionProperty = "delta.deletedFileRetentionDuration"

  /// Sessions of another gap cannot be carried on: they would have to be split or joined.
  static func checkRules(of table: DeltaTable, gap: Duration) throws {
    let gap = gap.wholeMilliseconds
    let found = table.snapshot.metadata.configuration
    let rebuild = "run \(SilverRebuild.command) to make the tables anew"
    if let known = found[SessionsSchema.Property.gap], known != String(gap) {
      throw PipelineError(
        "SESSION_GAP_CHANGED", .configuration,
        "\(table.path) was made with a session gap of \(known) ms, silver.session_gap is "
          + "\(gap) ms",
        remedy: "set silver.session_gap back, or " + rebuild)
    }
    let version = String(SessionsSchema.rulesVersion)
    if let known = found[SessionsSchema.Property.rules], known != version {
      throw PipelineError(
        "SESSION_RULES_CHANGED", .configuration,
        "\(table.path) was made by version \(known) of the session rules, this program has "
          + "version \(version)",
        remedy: rebuild)
    }
  }

  private func updateProperties(of table: DeltaTable) throws {
    var metadata = table.snapshot.metadata
    let changed = rules.filter { metadata.configuration[$0.key] != $0.value }
    guard !changed.isEmpty else { return }
    metadata.configuration.merge(changed) { $1 }
    _ = try table.commit(
      metadata, operation: "SET TBLPROPERTIES", publisher: publisher, role: .sessionsCommit)
  }

  /// Columns that Bronze got since the table was made.
  private func addColumns(of bronze: DeltaTable, to table: DeltaTable) throws {
    let known = table.snapshot.schema
    let missing = EventsSchema.of(bronze: bronze.snapshot.schema).fields.filter {
      known.field(named: $0.name) == nil
    }
    guard !missing.isEmpty else { return }
    let version = try table.commit(
      table.snapshot.metadata.adding(missing), operation: "ADD COLUMNS", publisher: publisher,
      role: .eventsCommit)
    let names = missing.map(\.name).joined(separator: ", ")
    log.notice("events v\(version): added the columns \(names), which Bronze has got")
  }
}
