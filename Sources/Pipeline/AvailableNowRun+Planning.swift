internal import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// What a run will read, and what its next batch is.
extension AvailableNowRun {
  /// Fixes the run's end and compares what the stream needs with what the topic holds.
  func makePlan() throws -> KafkaPlan {
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
  func prepareCheckpoint(_ plan: KafkaPlan) throws {
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
  func logNextBatch(from start: [Int32: Int64], _ plan: KafkaPlan) throws
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
}
