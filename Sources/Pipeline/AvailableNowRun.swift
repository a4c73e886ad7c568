internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// One run: everything that the topic held when it began, in bounded batches, then the end.
///
/// Emulates Spark's `trigger(availableNow=True)`. Read `execute` first: it is the whole story.
final class AvailableNowRun {
  private let query: BronzeQuery
  private let context: RunContext
  private let consumer: KafkaConsumer
  private let configuration: Configuration
  private var report = RunReport()
  private let began = MonotonicClock.milliseconds()
  private var total: Int64 = 0

  /// Connects to the brokers.
  init(_ query: BronzeQuery, _ context: RunContext) throws {
    self.query = query
    self.context = context
    configuration = query.configuration
    let kafka = configuration.kafka
    let log = context.log
    let settings = KafkaConfiguration(
      brokers: kafka.brokers, clientID: kafka.clientID,
      properties: kafka.clientProperties.map { ($0.name, $0.value) },
      queueBytes: configuration.limits.fetchBytes,
      expectedPartitions: query.state?.position.count ?? 0,
      log: { line in log.debug("librdkafka: \(line.facility): \(line.message)") })
    consumer = try KafkaConsumer.open(
      settings, topic: kafka.topic, timeout: kafka.connectTimeout)
  }

  func execute() throws -> RunReport {
    defer { consumer.close() }
    let plan = try makePlan()
    guard !plan.isEmpty || query.state?.pending != nil else { return finished() }
    let tables = try query.prepareTables(clusterID: consumer.metadata.clusterID)
    try prepareCheckpoint(plan)
    total = plan.target.reduce(0) { $0 + $1.value - (plan.start[$1.key] ?? $1.value) }
    try consumer.assign(plan.fetchStart)

    let buffers = try BronzeBatch.Buffers(tables)
    var start = plan.start
    if let pending = query.state?.pending {
      start = try runBatch(pending, from: start, plan, tables, buffers)
    }
    while !report.wasStopped, start != plan.target {
      let entry = try logNextBatch(from: start, plan)
      start = try runBatch(entry, from: start, plan, tables, buffers)
    }
    return finished()
  }

  private func finished() -> RunReport {
    report.milliseconds = MonotonicClock.milliseconds() - began
    report.lastBatch = query.lastBatch
    report.bronzeVersion = query.bronze?.snapshot.version
    report.deadLetterVersion = query.deadLetters?.snapshot.version
    return report
  }

  // MARK: Planning

  private func makePlan() throws -> KafkaPlan {
    step(.latestOffset)
    let topic = configuration.kafka.topic
    let timeout = configuration.kafka.connectTimeout
    let partitions = consumer.metadata.partitions
    let bounds = TopicBounds(
      beginning: try consumer.offsets(of: partitions, at: .beginning, timeout: timeout),
      end: try consumer.offsets(of: partitions, at: .end, timeout: timeout))
    guard let state = query.state else { preconditionFailure("a run begins after recovery") }
    let pendingEnd = try state.pending.flatMap { entry in
      try entry.sources.first?.map { try query.kafkaOffsets($0, in: "offsets").offsets }
    }
    let position =
      state.hasInitialOffsets || state.nextBatch > 0
      ? state.position : try firstPosition(bounds)
    return try KafkaPlan(
      topic: topic, position: position, pendingEnd: pendingEnd, bounds: bounds,
      onMissingData: configuration.loss.onMissingData)
  }

  /// Where a new stream begins, as `kafka.starting_offsets` says.
  private func firstPosition(_ bounds: TopicBounds) throws -> [Int32: Int64] {
    switch configuration.kafka.startingOffsets {
    case .earliest: return bounds.beginning
    case .latest: return bounds.end
    case .timestamp(let milliseconds):
      let found = try consumer.offsets(
        of: consumer.metadata.partitions, at: .timestamp(milliseconds),
        timeout: configuration.kafka.connectTimeout)
      return bounds.end.merging(found) { $1 }
    case .offsets(let wanted):
      return try bounds.end.reduce(into: [:]) { position, entry in
        position[entry.key] = try startOffset(wanted[entry.key], entry.key, bounds)
      }
    }
  }

  private func startOffset(
    _ wanted: Int64?, _ partition: Int32, _ bounds: TopicBounds
  ) throws -> Int64 {
    let beginning = bounds.beginning[partition] ?? 0
    let end = bounds.end[partition] ?? beginning
    guard let wanted else {
      throw PipelineError(
        "STARTING_OFFSETS", .configuration,
        "kafka.starting_offsets names no offset for partition \(partition)",
        remedy: "name every partition of the topic; -2 is its beginning, -1 its end")
    }
    if wanted == -2 { return beginning }
    if wanted == -1 { return end }
    guard (beginning...end).contains(wanted) else {
      throw PipelineError(
        "STARTING_OFFSETS", .configuration,
        "kafka.starting_offsets: partition \(partition) holds offsets \(beginning) to \(end), "
          + "not \(wanted)",
        remedy: "name an offset inside that range, or -2 for its beginning")
    }
    return wanted
  }

  /// The query's id and the stream's first offsets, durable before the first batch is planned.
  private func prepareCheckpoint(_ plan: KafkaPlan) throws {
    guard var state = query.state else { preconditionFailure("a run begins after recovery") }
    if state.queryID == nil { state.queryID = try query.checkpoint.createQueryIfNeeded() }
    if !state.hasInitialOffsets, state.nextBatch == 0 {
      try query.checkpoint.addInitialOffsets(
        KafkaOffsetsJSON.text(
          topic: configuration.kafka.topic, offsets: plan.start, order: .ascending))
      state.hasInitialOffsets = true
      state.position = plan.start
    }
    query.state = state
  }

  /// Phase one: decides and logs what the next batch is.
  private func logNextBatch(from start: [Int32: Int64], _ plan: KafkaPlan) throws
    -> OffsetLogEntry
  {
    guard let state = query.state else { preconditionFailure("a run begins after recovery") }
    step(.walCommit)
    let end = RateLimit.endOffsets(
      limit: batchLimit(state.meanValueBytes), start: start, target: plan.target)
    let entry = OffsetLogEntry(
      batchWatermarkMs: 0,
      batchTimestampMs: max(wallClockMilliseconds(), state.lastTimestampMs + 1),
      confJSON: state.conf,
      sources: [
        KafkaOffsetsJSON.text(
          topic: configuration.kafka.topic, offsets: end,
          order: state.order.map { .like($0) } ?? .ascending)
      ])
    guard try query.checkpoint.addOffsets(state.nextBatch, entry) == .published else {
      throw PipelineError(
        "CONCURRENT_QUERY", .damaged,
        "\(query.checkpoint.offsetLog.directory)/\(state.nextBatch) exists already: another "
          + "program runs the same query",
        remedy: "stop the other program (Spark with this checkpoint?), then restart")
    }
    query.state?.pending = entry
    query.state?.lastTimestampMs = entry.batchTimestampMs
    try query.checkpoint.purge(newest: state.nextBatch)
    return entry
  }

  /// Offsets that a batch may take: as configured, and as many as its bytes allow.
  private func batchLimit(_ meanValueBytes: Double?) -> Int64 {
    let limits = configuration.limits
    let assumed = 1024.0
    let byBytes = Double(limits.maxBatchBytes) / max(1, meanValueBytes ?? assumed)
    return max(1, min(limits.maxOffsetsPerBatch, Int64(byBytes)))
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
    let end = try query.kafkaOffsets(text, in: "offsets/\(id)").offsets
    let highest = max(plan.target.keys.max() ?? 0, end.keys.max() ?? 0)
    let batch = BronzeBatch(
      tables, id: id, timestampMs: entry.batchTimestampMs, partitions: Int(highest) + 1,
      buffers: buffers, decoder: query.decoder)
    addLost(plan.lost, from: start, upTo: end, to: batch)
    guard let staged = try stage(batch, upTo: end) else {
      report.wasStopped = true
      return start
    }
    let accounting = account(id, from: start, upTo: end, staged)
    // From here on nothing is discarded: when it fails, recovery knows what was committed.
    try query.commit(staged, accounting, timestampMs: entry.batchTimestampMs, in: tables)
    note(accounting, staged)
    step(.commitOffsets)
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
      if !part.isEmpty { batch.add(lost: part, partition: partition) }
    }
  }

  /// Reads until every partition has reached its end of the batch.
  /// - Returns: false when a stop was requested.
  private func read(_ batch: BronzeBatch, upTo end: [Int32: Int64]) throws -> Bool {
    consumer.beginBatch(upTo: end)
    var guardian = StallGuard(
      timeout: configuration.kafka.stallTimeout.wholeMilliseconds, topic: configuration.kafka.topic)
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
        try checkRunTimeout()
      }
    }
    return true
  }

  private func checkRunTimeout() throws {
    let limit = configuration.schedule.runTimeout.wholeMilliseconds
    guard MonotonicClock.milliseconds() - began > limit else { return }
    throw PipelineError(
      "RUN_TIMEOUT", .unavailable,
      "the run took longer than schedule.run_timeout, \(limit / 1000) s",
      remedy: "the next run goes on with the same batch; allow more time if the backlog is large")
  }

  private func account(
    _ id: Int64, from start: [Int32: Int64], upTo end: [Int32: Int64],
    _ staged: BronzeBatch.Staged
  ) -> BatchAccounting {
    var partitions: [Int32: PartitionAccount] = [:]
    for (partition, last) in end {
      let first = start[partition] ?? last
      let good = staged.good[partition] ?? 0
      let dead = staged.dead[partition] ?? 0
      let absent = last - first - good - dead
      precondition(absent >= 0, "more records than offsets in a range")
      var total = query.state?.totals[partition] ?? PartitionAccount.Total(start: first)
      total.good += good
      total.dead += dead
      total.absent += absent
      partitions[partition] = PartitionAccount(
        start: first, end: last, good: good, dead: dead, absent: absent, total: total)
    }
    return BatchAccounting(
      query: BronzeQuery.name, batch: id, topic: configuration.kafka.topic,
      valueBytes: staged.valueBytes, partitions: partitions, second: nil)
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

  private func step(_ phase: RunProgress.Phase) {
    context.heartbeat.beat()
    context.progress(
      RunProgress(
        phase: phase, batch: query.state?.nextBatch ?? 0, done: report.offsets, total: total))
  }
}

/// Notices partitions that make no progress while their end is ahead.
///
/// librdkafka refetches some damaged record sets for ever without an error.
struct StallGuard {
  private let timeout: Int64
  private let topic: String
  private var seen: [Int32: (position: Int64, since: Int64)] = [:]

  init(timeout: Int64, topic: String) {
    self.timeout = timeout
    self.topic = topic
  }

  mutating func check(_ consumer: KafkaConsumer) throws {
    let now = MonotonicClock.milliseconds()
    for (partition, position) in consumer.unfinished {
      guard let before = seen[partition], before.position == position else {
        seen[partition] = (position, now)
        continue
      }
      guard now - before.since > timeout else { continue }
      throw stalled(partition, position, troubles: consumer.troubles)
    }
  }

  private func stalled(
    _ partition: Int32, _ position: Int64, troubles: [String]
  ) -> PipelineError {
    let seconds = timeout / 1000
    let place = "\(topic)/\(partition): no record from offset \(position) on for \(seconds) s"
    guard troubles.isEmpty else {
      return PipelineError(
        "KAFKA_UNAVAILABLE", .unavailable, "\(place): \(troubles.joined(separator: "; "))",
        remedy: "see that the brokers run and can be reached; the next run tries again")
    }
    return PipelineError(
      "PARTITION_STALLED", .source, "\(place), although the partition's end is ahead",
      remedy: "the broker serves something that cannot be read at this offset; look at the log "
        + "segment with Kafka's tools; the next run tries again")
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
