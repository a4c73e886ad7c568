internal import Clickstream
internal import DeltaLake
internal import Glibc
internal import StreamCheckpoint

/// One batch on its way from Bronze rows to staged data files of both tables.
///
/// Rows come in slices, so that memory does not depend on the size of the batch. Nothing is
/// visible to readers before the commit names the files.
final class SilverBatch {
  /// What the commit of the batch will say.
  struct Staged {
    var sessions: StagedSessions
    var events: StagedEvents
    var rows: SilverAccounting.Rows
    var change: SessionSet.Change
    /// When the rows had come to Kafka.
    var arrival: ArrivalStatistics
    var newestEvent: Int64
    /// Final sessions that late events changed.
    var reopened: Int
  }

  private let query: SilverQuery
  private let id: Int64
  private let timestampMs: Int64
  /// Microseconds; decided when the batch was planned.
  private let watermark: Int64
  private let lateBefore: Int64
  private let parkedAfter: Int64
  private let storedHotCount: Int
  private var set: SessionSet
  private var rows: EventRows
  /// So many sessions in memory are worth setting some aside.
  private var setAsideCount: Int
  private let sessions: SessionsBatch
  private let events: EventsBatch

  private var counts = SilverAccounting.Rows()
  private var change = SessionSet.Change()
  private var arrival = ArrivalStatistics()
  private var newestEvent: Int64
  /// Sessions that may have lost their only event with a customer id.
  private var doubtful: [(visitor: Int32, time: Int64)] = []

  /// Reads the open sessions, if the last batch did not leave them in memory.
  init(
    _ query: SilverQuery, _ sessions: SessionsTable, _ events: EventsTable, id: Int64,
    entry: OffsetLogEntry
  ) throws {
    guard let state = query.state else { preconditionFailure("a batch begins after recovery") }
    self.query = query
    self.id = id
    timestampMs = entry.batchTimestampMs
    watermark = entry.batchWatermarkMs.clampedMultiplied(by: 1000)
    parkedAfter = timestampMs.clampedAdding(query.watermark.latenessMs)
      .clampedMultiplied(by: 1000)
    newestEvent = state.newestEvent
    lateBefore = query.eventWatermark
    set = try query.takeOpenSessions(sessions, watermark: watermark)
    setAsideCount = query.configuration.silver.sessionsInMemory
    storedHotCount = set.count
    rows = EventRows(visitors: set.visitors)
    let prefix = BatchFileName.prefix(query: SilverQuery.name, batch: id)
    self.sessions = sessions.begin(batchPrefix: prefix, timestampMs: timestampMs)
    self.events = events.begin(batchPrefix: prefix, timestampMs: timestampMs)
    if events.cache.lowerBound == .max {
      try events.prepareCache(from: lateBefore, newest: newestEvent)
    } else {
      events.cache.forget(before: lateBefore)
    }
    try takeDue()
  }

  /// Parked sessions whose time has come, file by file: they may be many.
  private func takeDue() throws {
    let placement = SessionPlacement(
      watermark: watermark, gap: query.gap, parkedAfter: parkedAfter)
    for file in sessions.dueFiles(placement) {
      try sessions.takeDue(placement, from: file, into: set)
      try setSessionsAsideIfMany()
    }
  }

  /// Works through a slice: unique events to their table, sessions to the set.
  /// - Throws: call `discard()` then.
  func add(_ slice: BronzeSlice) throws {
    rows.removeAll()
    rows.reserve(slice.rowCount)
    try slice.readKeys(into: rows, statistics: &arrival)
    newestEvent = max(newestEvent, rows.newestTime)
    let decision = try events.decide(rows, slice)
    counts.read += Int64(rows.count)
    counts.duplicates += Int64(decision.duplicateCount)
    counts.unique += Int64(rows.count - decision.duplicateCount)

    // An event that takes a stored one's place is no new one for its session.
    var fresh = decision.survivors
    for correction in decision.corrections { fresh[Int(correction.row)] = false }
    let grouped = GroupedEvents(rows, survivors: fresh, gap: query.gap)
    try sessions.take(
      grouped.clusters + decision.corrections.map(cluster), gap: query.gap, into: set)
    change += set.add(grouped, updatedAt: timestampMs * 1000)
    for correction in decision.corrections { try apply(correction) }
    try events.write(slice, rows, survivors: decision.survivors, lateBefore: lateBefore)
    for (visitor, time) in doubtful { try recount(visitor, at: time) }
    doubtful = []
    try setSessionsAsideIfMany()
  }

  /// Bounds what a large batch holds in memory: sessions, and visitors without one.
  private func setSessionsAsideIfMany() throws {
    guard max(set.count, set.visitors.count / 2 - set.count) > setAsideCount else { return }
    var placement = SessionPlacement(
      watermark: watermark, gap: query.gap, parkedAfter: parkedAfter)
    placement.nextWatermark =
      query.watermark.after(newestEvent: newestEvent, current: watermark / 1000) * 1000
    let rest = try sessions.setAside(set, placement)
    setAsideCount = max(setAsideCount, 2 * rest.count)
    guard rest !== set else { return }
    set = rest
    rows = EventRows(visitors: rest.visitors)
  }

  /// Writes what is left; afterwards every data file is durable and named by nobody.
  func finish() throws -> Staged {
    let stagedEvents = try events.finish()
    let stagedSessions = try sessions.finish(
      set, watermark: watermark, gap: query.gap, parkedAfter: parkedAfter,
      storedHotCount: storedHotCount)
    return Staged(
      sessions: stagedSessions, events: stagedEvents, rows: counts, change: change,
      arrival: arrival, newestEvent: newestEvent, reopened: sessions.takenFinal.count)
  }

  /// Removes the staged files; the open sessions are read again by the next batch.
  func discard() {
    sessions.discard()
    events.discard()
    query.openSessions = nil
  }

  /// What the commit says of the batch.
  func account(
    _ staged: Staged, from start: DeltaSourceOffset, to end: DeltaSourceOffset
  ) -> SilverAccounting {
    guard let state = query.state else { preconditionFailure("a batch begins after recovery") }
    return SilverAccounting(
      batch: id, start: start, end: end, rows: staged.rows, total: state.total + staged.rows,
      nextWatermarkMs: query.watermark.after(
        newestEvent: staged.newestEvent, current: watermark / 1000),
      newestEvent: staged.newestEvent, parkedAfter: parkedAfter, second: nil)
  }

  /// After the commit: what stays open stays in memory for the next batch.
  func keepOpenSessions() {
    query.keepOpenSessions(set, watermark: watermark, parkedAfter: parkedAfter)
  }

  // MARK: Corrections

  private func cluster(_ correction: Decision.Correction) -> EventCluster {
    let row = Int(correction.row)
    return EventCluster(visitor: rows.visitor(row), at: rows.time(row))
  }

  /// A duplicate that came in earlier than the stored event has taken its place: only what kind of
  /// event it is, and whether it names a customer, can differ.
  private func apply(_ correction: Decision.Correction) throws {
    let row = Int(correction.row)
    let (visitor, time) = (rows.visitor(row), rows.time(row))
    guard var session = set.session(of: visitor, at: time) else {
      throw PipelineError(
        "SESSIONS_DAMAGED", .damaged,
        "\(query.paths.sessions): clickstream_events holds an event of "
          + "\(EventTime.format(time)) whose session is not in the table",
        remedy: "another program changed one of the tables: run "
          + "`shopmetricsctl silver rebuild --yes`")
    }
    session.count(correction.oldKind, by: -1)
    session.count(rows.kind(row), by: 1)
    session.updatedAt = timestampMs * 1000
    if rows.isIdentified(row) {
      session.isIdentified = true
    } else if correction.oldIsIdentified {
      doubtful.append((visitor, time))
    }
    set.update(session)
  }

  private func recount(_ visitor: Int32, at time: Int64) throws {
    guard var session = set.session(of: visitor, at: time) else {
      preconditionFailure("a corrected session is in the set")
    }
    var isIdentified = false
    try set.visitors.withBytes(of: visitor) { name in
      try events.forEachEvent(of: name, in: session.first...session.last) { _, _, identified in
        isIdentified = isIdentified || identified
      }
    }
    session.isIdentified = isIdentified
    set.update(session)
  }
}

extension SilverQuery {
  /// The watermark by event time alone; microseconds.
  ///
  /// A drained stream's watermark may be far ahead of events that are replayed from long ago, and
  /// those should be cheap too.
  var eventWatermark: Int64 {
    guard let state, state.newestEvent > Int64.min else { return Int64.min }
    return min(
      state.nextWatermarkMs * 1000,
      state.newestEvent.clampedSubtracting(watermark.latenessMs * 1000))
  }

  /// The open sessions for one batch, which changes them.
  func takeOpenSessions(_ table: SessionsTable, watermark: Int64) throws -> SessionSet {
    if let known = openSessions {
      openSessions = nil
      return known
    }
    let set = SessionSet(visitors: VisitorTable(), gap: gap)
    try table.loadHot(into: set, watermark: watermark)
    return set
  }

  func keepOpenSessions(_ set: SessionSet, watermark: Int64, parkedAfter: Int64) {
    let placement = SessionPlacement(watermark: watermark, gap: gap, parkedAfter: parkedAfter)
    set.removeAll { placement.place(of: $0) != .hot }
    set.markStored()
    let isMostlyGarbage = set.visitors.count > 2 * set.count + 100_000
    openSessions = isMostlyGarbage ? set.rebuilt() : set
  }
}
