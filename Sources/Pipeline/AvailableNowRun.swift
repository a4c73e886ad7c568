internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// One run: everything that the topic held when it began, in bounded batches, then the end.
///
/// Emulates Spark's `trigger(availableNow=True)`. Read `work` first: it is the whole story.
final class AvailableNowRun {
  let query: BronzeQuery
  let context: RunContext
  let consumer: KafkaConsumer
  let configuration: Configuration
  private var report = RunReport()
  private let began = MonotonicClock.milliseconds()
  private var total: Int64 = 0
  private let mirror: GroupMirror?
  /// Partitions whose newest record of earlier runs is gone.
  private var unproven: Set<Int32> = []

  /// Connects to the brokers.
  init(_ query: BronzeQuery, _ context: RunContext) throws {
    self.query = query
    self.context = context
    configuration = query.configuration
    // Two clients at most, of which each may take as long.
    let consumer = try context.heartbeat.waiting(
      atMost: query.configuration.kafka.connectTimeout * 2
    ) {
      try KafkaConsumer.open(
        query.configuration, expectedPartitions: query.state?.position.count ?? 0,
        log: context.log)
    }
    self.consumer = consumer
    mirror = configuration.kafka.mirrorGroup.map {
      GroupMirror(group: $0, consumer: consumer, log: context.log)
    }
  }

  func execute() throws -> RunReport {
    defer { consumer.close() }
    do {
      return try work()
    } catch {
      throw PipelineError.translating(error).after(batches: report.batches)
    }
  }

  private func work() throws -> RunReport {
    // First: the offsets of another cluster would only look like lost data.
    if let table = query.bronze {
      try SourceIdentity.check(table, configuration, clusterID: consumer.metadata.clusterID)
    }
    let plan = try makePlan()
    context.planned(plan.target)
    guard !plan.isEmpty || query.state?.pending != nil else {
      mirror?.tell(plan.start)
      return finished()
    }
    let tables = try query.prepareTables(clusterID: consumer.metadata.clusterID)
    try prepareCheckpoint(plan)
    total = plan.target.reduce(0) { $0 + $1.value - (plan.start[$1.key] ?? $1.value) }
    let proofs = plan.proofs(query.state?.newest ?? [:])
    unproven = proofs.gone
    try consumer.assign(plan.fetchStart, behind: proofs.comparable)
    // Before a batch of this topic is planned, which the right one could not finish.
    guard try isSameTopic() else {
      report.wasStopped = true
      return finished()
    }

    let buffers = try BronzeBatch.Buffers(tables)
    var start = plan.start
    if let pending = query.state?.pending {
      start = try runBatch(pending, from: start, plan, tables, buffers)
    }
    while !report.wasStopped, start != plan.target {
      // One batch at least: slow answers before it would otherwise let every run end with none.
      guard report.batches == 0 || MonotonicClock.milliseconds() - began <= timeout else {
        report.wasStopped = true
        break
      }
      let entry = try logNextBatch(from: start, plan)
      start = try runBatch(entry, from: start, plan, tables, buffers)
    }
    return finished()
  }

  private func finished() -> RunReport {
    mirror?.finish(isHurried: context.stop.isSet)
    warnOfUnproven()
    report.milliseconds = MonotonicClock.milliseconds() - began
    report.lastBatch = query.lastBatch
    report.bronzeVersion = query.bronze?.snapshot.version
    report.deadLetterVersion = query.deadLetters?.snapshot.version
    return report
  }

  private func warnOfUnproven() {
    let partitions = unproven.union(consumer.unproven).sorted()
    guard !partitions.isEmpty else { return }
    context.log.warning(
      "continuity unproven: \(configuration.kafka.topic) no longer has the newest record that was "
        + "read from partition \(partitions.map(String.init).joined(separator: ", ")), so it "
        + "cannot be told whether it is still the same topic", [("code", "CONTINUITY_UNPROVEN")])
  }

  // MARK: One batch

  /// Reads, decodes, stages and commits one logged batch.
  /// - Returns: where the next batch begins; `start` when a stop request dropped this one.
  private func runBatch(
    _ entry: OffsetLogEntry, from start: [Int32: Int64], _ plan: KafkaPlan,
    _ tables: BronzeBatch.Tables, _ buffers: BronzeBatch.Buffers
  ) throws -> [Int32: Int64] {
    guard let id = query.state?.nextBatch, let text = entry.sources.first ?? nil else {
      preconditionFailure("a logged batch has a source")
    }
    let end = try StateFit.offsets(text, in: "offsets/\(id)", configuration).offsets
    let highest = max(plan.target.keys.max() ?? 0, end.keys.max() ?? 0)
    let batch = BronzeBatch(
      tables, id: id, timestampMs: entry.batchTimestampMs, partitions: Int(highest) + 1,
      buffers: buffers, decoder: query.decoder)
    addLost(plan.lost, from: start, upTo: end, to: batch)
    guard let staged = try stage(batch, upTo: end) else {
      report.wasStopped = true
      return start
    }
    let accounting = query.accounting(
      of: id, from: start, upTo: end, staged, newest: consumer.takeNewest())
    // From here on nothing is discarded: when it fails, recovery knows what was committed.
    try query.commit(staged, accounting, timestampMs: entry.batchTimestampMs, in: tables)
    note(accounting, staged)
    step(.commitOffsets)
    mirror?.tell(end)
    try query.maintain(tables)
    return start.merging(end) { $1 }
  }

  /// The batch's data files, durable and named by nobody yet; `nil` when a stop dropped them.
  private func stage(
    _ batch: BronzeBatch, upTo end: [Int32: Int64]
  ) throws -> BronzeBatch.Staged? {
    do {
      guard try read(batch, upTo: end) else {
        batch.discard()
        return nil
      }
      step(.addBatch)
      return try batch.finish()
    } catch {
      batch.discard()
      throw error
    }
  }

  private func addLost(
    _ lost: [Int32: Range<Int64>], from start: [Int32: Int64], upTo end: [Int32: Int64],
    to batch: BronzeBatch
  ) {
    for (partition, range) in lost.sorted(by: { $0.key < $1.key }) {
      guard let first = start[partition], let last = end[partition] else { continue }
      let part = range.clamped(to: first..<max(first, last))
      if !part.isEmpty { batch.add(lost: part, partition: partition, .gone) }
    }
  }

  /// Reads until every partition has reached its end of the batch.
  /// - Returns: false when a stop was requested.
  private func read(_ batch: BronzeBatch, upTo end: [Int32: Int64]) throws -> Bool {
    consumer.beginBatch(upTo: end)
    var guardian = stallGuard
    var polls = 0
    while !consumer.batchIsDone {
      if context.stop.isSet { return false }
      let count = try consumer.poll(timeoutMilliseconds: 100) { try batch.add($0) }
      context.heartbeat.beat()
      report.offsets += Int64(count)
      polls += 1
      if count == 0 || polls % 64 == 0 {
        step(.getBatch)
        try guardian.check(consumer)
        try checkBatchTimeout()
      }
    }
    return true
  }

  /// Compares the newest records read before with what the topic has in their places now.
  /// - Returns: false when a stop was requested.
  private func isSameTopic() throws -> Bool {
    var guardian = stallGuard
    while try !consumer.compareProofs(timeoutMilliseconds: 100) {
      if context.stop.isSet { return false }
      step(.latestOffset)
      try guardian.check(consumer)
    }
    return true
  }

  private var stallGuard: StallGuard {
    StallGuard(
      timeout: configuration.kafka.stallTimeout.wholeMilliseconds, topic: configuration.kafka.topic)
  }

  private var timeout: Int64 { configuration.schedule.runTimeout.wholeMilliseconds }

  /// A run that has had its time ends behind its batch; a batch that then takes as long again will
  /// not end by itself.
  private func checkBatchTimeout() throws {
    guard MonotonicClock.milliseconds() - began > 2 * timeout else { return }
    throw PipelineError(
      "RUN_TIMEOUT", .unavailable,
      "one batch went on for longer than schedule.run_timeout, \(timeout / 1000) s, behind the "
        + "end of the run's time",
      remedy: "the next run goes on with the same batch; with slow brokers raise "
        + "schedule.run_timeout, or lower limits.max_offsets_per_batch for the batches after it")
  }

  private func note(_ accounting: BatchAccounting, _ staged: BronzeBatch.Staged) {
    report.batches += 1
    report.good += accounting.goodCount
    report.dead += accounting.deadCount
    report.absent += accounting.partitions.values.reduce(0) { $0 + $1.absent }
    report.deadByReason.merge(staged.deadByReason) { $0 + $1 }
    for (partition, account) in accounting.partitions {
      let first = report.ranges[partition]?.lowerBound ?? account.start
      report.ranges[partition] = first..<account.end
    }
    context.log.info(
      "batch \(accounting.batch): \(RunReport.grouped(accounting.goodCount)) rows, "
        + "\(RunReport.grouped(accounting.deadCount)) dead",
      [("batch", String(accounting.batch)), ("table", "clickstream_raw")])
  }

  func step(_ phase: RunProgress.Phase) {
    context.heartbeat.beat()
    context.progress(
      RunProgress(
        query: "bronze", phase: phase, batch: query.state?.nextBatch ?? 0, done: report.offsets,
        total: total))
  }
}

extension BronzeQuery {
  /// One availableNow run, after recovery if an earlier run failed.
  ///
  /// - Throws: `PipelineError`; the batch that was being read is as if it had never begun, or is
  ///   finished by the next run.
  package func run(_ context: RunContext) throws -> RunReport {
    do {
      if state == nil { try recover() }
      return try AvailableNowRun(self, context).execute()
    } catch {
      forgetState()
      throw PipelineError.translating(error)
    }
  }
}
