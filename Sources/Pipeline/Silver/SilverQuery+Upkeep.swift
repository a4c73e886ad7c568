internal import DeltaLake
internal import DurableIO

extension SilverQuery {
  /// What keeps the tables quick to read: few small files, short logs, no files that left.
  ///
  /// Nothing here belongs to a batch, and no row changes: what fails is logged and made up for
  /// later.
  /// - Parameter heartbeat: beats with each step, of which none takes long.
  /// - Throws: only where it is unknown what is on disk.
  func maintain(
    _ tables: (sessions: SessionsTable, events: EventsTable), _ heartbeat: Heartbeat
  ) throws {
    try log.attempting("upkeep", at: tables.sessions.table.path) {
      while let done = try tables.sessions.compactIfDue(
        namePrefix: Self.compactionPrefix, now: wallClockMilliseconds())
      {
        heartbeat.beat()
        log.info("sessions: joined \(done.removedFiles) files into \(done.addedFiles)")
      }
    }
    try log.attempting("upkeep", at: tables.events.table.path) {
      while let done = try tables.events.compact(
        namePrefix: Self.compactionPrefix, timestampMs: wallClockMilliseconds())
      {
        heartbeat.beat()
        log.info("events v\(done.version): joined \(done.fileCount) files")
      }
    }
    let logs = LogMaintenance(configuration.delta, publisher: publisher, log: log)
    for table in [tables.sessions.table, tables.events.table] {
      heartbeat.beat()
      try logs.keepUp(table) { try oldestCommitNeeded(in: table) }
    }
    try log.attempting("upkeep", at: tables.sessions.table.path) {
      _ = try tables.sessions.vacuumIfDue(now: wallClockMilliseconds())
    }
    try log.attempting("upkeep", at: tables.events.table.path) { try vacuumIfDue(tables.events) }
  }

  /// Names of files that a compaction makes; the sweep of orphans knows them.
  private static let compactionPrefix = "\(name)-compacted"

  /// Hardly a file leaves the events table, so looking for them once a day is enough.
  private func vacuumIfDue(_ events: EventsTable) throws {
    let day: Int64 = 86_400_000
    let now = wallClockMilliseconds()
    guard now - lastEventsVacuum >= day else { return }
    _ = try events.table.vacuum(
      keepingFrom: events.table.snapshot.version,
      retention: events.table.snapshot.deletedFileRetention, now: now, sparing: [])
    lastEventsVacuum = now
  }

  /// The commit of the newest batch: it carries the accounting that recovery reads.
  private func oldestCommitNeeded(in table: DeltaTable) throws -> Int64 {
    guard let queryID = state?.queryID,
      let batch = table.snapshot.transactionVersion(of: queryID),
      let found = try table.commitInfo(ofTransaction: queryID, version: batch)
    else { return 0 }
    return found.tableVersion
  }
}
