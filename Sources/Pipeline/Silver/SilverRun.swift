internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

/// One run of the Silver query: every version that Bronze had when it began, in bounded batches.
///
/// Read `work` first: it is the whole story.
final class SilverRun {
  private let query: SilverQuery
  private let context: RunContext
  /// Whether Bronze holds everything that its topic held when the run began.
  private let isDrained: Bool
  private var report = SilverReport()
  private let began = MonotonicClock.milliseconds()

  init(_ query: SilverQuery, _ context: RunContext, isDrained: Bool) {
    self.query = query
    self.context = context
    self.isDrained = isDrained
  }

  func execute() throws -> SilverReport {
    do {
      return try work()
    } catch {
      throw PipelineError.translating(error).after(batches: report.batches)
    }
  }

  private func work() throws -> SilverReport {
    guard try query.source.refresh(), let bronze = query.source.table else { return finished() }
    let start = try query.state?.position ?? query.firstOffset(query.state?.pending)
    let target = try query.source.endOffset()
    if let pending = query.state?.pending {
      let end = try query.sourceOffset(pending, query.state?.nextBatch ?? 0)
      let files = try query.source.files(from: start, to: end)
      try runBatch(pending, from: start, to: end, files, bronze)
    }
    while !report.wasStopped, let plan = try nextPlan(from: start, upTo: target) {
      guard MonotonicClock.milliseconds() - began <= timeout else {
        report.wasStopped = true
        break
      }
      let isLast = plan.end == target
      let from = query.state?.position ?? start
      let entry = try logBatch(to: plan.end, advances: isDrained && isLast)
      try runBatch(entry, from: from, to: plan.end, plan.files, bronze)
    }
    if !report.wasStopped, isDrained, let position = query.state?.position {
      try closeIdleSessions(at: position, bronze)
    }
    return finished()
  }

  /// Silver has as much time as Bronze, so that a backlog of the one does not starve the other.
  private var timeout: Int64 { query.configuration.schedule.runTimeout.wholeMilliseconds }

  private func finished() -> SilverReport {
    report.milliseconds = MonotonicClock.milliseconds() - began
    report.lastBatch = query.lastBatch
    report.sessionsVersion = query.sessions?.table.snapshot.version
    report.eventsVersion = query.events?.table.snapshot.version
    report.watermarkMs = query.state?.watermarkMs ?? 0
    return report
  }

  // MARK: Planning

  /// The next files to read, as many as a batch may have; `nil` when there are no rows left.
  private func nextPlan(
    from start: DeltaSourceOffset, upTo target: DeltaSourceOffset
  ) throws -> SourcePlan? {
    let position = query.state?.position ?? start
    guard position.isBefore(target), query.state?.passedOver != target else { return nil }
    step(.latestOffset)
    let limits = query.configuration.silver
    let plan = try query.source.plan(
      from: position, upTo: target, maxRows: limits.maxRowsPerBatch,
      maxBytes: limits.maxBatchBytes)
    if plan == nil { query.state?.passedOver = target }
    return plan
  }

  /// Phase one: decides and logs what the next batch is, its watermark included.
  private func logBatch(to end: DeltaSourceOffset, advances: Bool) throws -> OffsetLogEntry {
    try query.prepareCheckpoint()
    guard let state = query.state else { preconditionFailure("a run begins after recovery") }
    step(.walCommit)
    let timestampMs = max(wallClockMilliseconds(), state.lastTimestampMs + 1)
    let entry = OffsetLogEntry(
      batchWatermarkMs: advances
        ? query.watermark.whenDrained(
          batchTimestampMs: timestampMs, current: state.nextWatermarkMs) : state.nextWatermarkMs,
      batchTimestampMs: timestampMs, confJSON: state.conf, sources: [end.json])
    guard try query.checkpoint.addOffsets(state.nextBatch, entry) == .published else {
      throw PipelineError(
        "CONCURRENT_QUERY", .damaged,
        "\(query.checkpoint.offsetLog.directory)/\(state.nextBatch) exists already: another "
          + "program runs the same query",
        remedy: "stop the other program, then restart")
    }
    query.state?.pending = entry
    query.state?.lastTimestampMs = timestampMs
    try query.checkpoint.purge(newest: state.nextBatch, log: query.log)
    return entry
  }

  /// Without news the watermark still follows the clock; one batch without rows makes the
  /// sessions final that nobody has added to.
  private func closeIdleSessions(at position: DeltaSourceOffset, _ bronze: DeltaTable) throws {
    guard report.batches == 0, let state = query.state, let sessions = query.sessions else {
      return
    }
    let now = wallClockMilliseconds()
    guard now - state.lastTimestampMs >= query.idlePauseMs else { return }
    let watermark = query.watermark.whenDrained(
      batchTimestampMs: now, current: state.nextWatermarkMs)
    let end = watermark.clampedMultiplied(by: 1000).clampedSubtracting(query.gap)
    guard sessions.holdsSessions(endingBefore: end) else { return }
    let entry = try logBatch(to: position, advances: true)
    try runBatch(entry, from: position, to: position, [], bronze)
  }

  // MARK: One batch

  private func runBatch(
    _ entry: OffsetLogEntry, from start: DeltaSourceOffset, to end: DeltaSourceOffset,
    _ files: [SourceFile], _ bronze: DeltaTable
  ) throws {
    guard let state = query.state else { preconditionFailure("a run begins after recovery") }
    let tables = try query.prepareTables(bronze: bronze)
    let batch = try SilverBatch(
      query, tables.sessions, tables.events, id: state.nextBatch, entry: entry)
    guard let staged = try stage(batch, files) else {
      report.wasStopped = true
      return
    }
    // From here on nothing is discarded: when it fails, recovery knows what was committed.
    let accounting = batch.account(staged, from: start, to: end)
    try query.commit(staged, accounting, entry, in: tables)
    batch.keepOpenSessions()
    report.note(staged, accounting)
    query.log.info(
      "silver batch \(accounting.batch): \(RunReport.grouped(accounting.rows.unique)) events",
      [("batch", String(accounting.batch)), ("table", "clickstream_sessions")])
    step(.commitOffsets)
    try query.maintain(tables, context.heartbeat)
  }

  /// The batch's data files, durable and named by nobody yet; `nil` when a stop dropped them.
  private func stage(_ batch: SilverBatch, _ files: [SourceFile]) throws -> SilverBatch.Staged? {
    do {
      step(.getBatch)
      let slices = query.source.slices(
        of: files, maxRows: query.configuration.silver.rowsInMemory)
      while let slice = try slices.next() {
        guard !context.stop.isSet else {
          batch.discard()
          return nil
        }
        try batch.add(slice)
        report.read += Int64(slice.rowCount)
        step(.getBatch)
      }
      step(.addBatch)
      return try batch.finish()
    } catch {
      batch.discard()
      throw error
    }
  }

  private func step(_ phase: RunProgress.Phase) {
    context.heartbeat.beat()
    context.progress(
      RunProgress(
        query: "silver", phase: phase, batch: query.state?.nextBatch ?? 0, done: report.read,
        total: 0))
  }
}

extension SilverQuery {
  /// One run over everything that Bronze holds, after recovery if an earlier run failed.
  ///
  /// - Parameter isDrained: whether Bronze holds everything that its topic held; then the
  ///   watermark may follow the clock.
  /// - Throws: `PipelineError`; the batch that was worked on is as if it had never begun, or is
  ///   finished by the next run.
  package func run(_ context: RunContext, isDrained: Bool) throws -> SilverReport {
    do {
      if state == nil { try recover() }
      return try SilverRun(self, context, isDrained: isDrained).execute()
    } catch {
      forgetState()
      throw PipelineError.translating(error)
    }
  }

  /// Where a new stream begins.
  ///
  /// - Parameter pending: batch 0 when it was logged already: it begins where it began then, with
  ///   the snapshot that it reads or ends with.
  func firstOffset(_ pending: OffsetLogEntry?) throws -> DeltaSourceOffset {
    let start = try beginsWithSnapshot ? source.snapshotOffset() : source.startingOffset()
    guard start.isStartingVersion, let end = try pending.map({ try sourceOffset($0, 0) }) else {
      return start
    }
    return DeltaSourceOffset(
      reservoirID: end.reservoirID, version: end.isStartingVersion ? end.version : end.version - 1,
      isStartingVersion: true)
  }

  /// The query's id, durable before the first batch is planned.
  func prepareCheckpoint() throws {
    if state?.queryID == nil { state?.queryID = try checkpoint.createQueryIfNeeded() }
  }

  /// Idle runs close sessions no more often than this, so that a short schedule does not rewrite
  /// the open sessions every second for the sake of a flag.
  var idlePauseMs: Int64 { min(60_000, (gap / 1000 + watermark.latenessMs) / 40) }
}

extension SessionsTable {
  /// Whether a session that is not final yet ended before `time`, by the files' statistics.
  ///
  /// They are exact to a millisecond; in doubt the answer is no.
  func holdsSessions(endingBefore time: Int64) -> Bool {
    (hot + quiet + parked).contains {
      $0.lasts.lowerBound != .min && $0.lasts.lowerBound.clampedAdding(1000) < time
    }
  }
}
