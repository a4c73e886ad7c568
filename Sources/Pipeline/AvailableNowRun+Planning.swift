internal import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// What a run will read, and what its next batch is.
extension AvailableNowRun {
  /// Fixes the run's end and compares what the stream needs with what the topic holds.
  func makePlan() throws -> KafkaPlan {
    step(.latestOffset)
    let kafka = configuration.kafka
    // Two questions.
    let bounds = try context.heartbeat.waiting(atMost: kafka.connectTimeout * 2) {
      try consumer.bounds(timeout: kafka.connectTimeout)
    }
    guard let state = query.state else { preconditionFailure("a run begins after recovery") }
    let pendingEnd = try state.pending.flatMap { entry in
      try entry.sources.first?.map {
        try StateFit.offsets($0, in: "offsets", configuration).offsets
      }
    }
    let position =
      state.hasInitialOffsets || state.nextBatch > 0
      ? state.position
      : try context.heartbeat.waiting(atMost: kafka.connectTimeout) {
        try consumer.position(
          kafka.startingOffsets, in: bounds, timeout: kafka.connectTimeout,
          setting: "kafka.starting_offsets")
      }
    return try KafkaPlan(
      topic: kafka.topic, position: position, pendingEnd: pendingEnd, bounds: bounds,
      onMissingData: configuration.loss.onMissingData)
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
    let entry = query.nextEntry(upTo: end)
    try query.logBatch(entry)
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
