package import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// Moves the position of the Bronze stream as an operator wants it, while no daemon is at work.
///
/// What is passed over becomes an ordinary batch of the query that holds nothing but letters, so
/// the accounting goes on without a gap. Going back is the end of a query and the beginning of
/// another one, because a checkpoint's offsets never fall.
///
/// Killed anywhere, the files are those of a state that a start accepts, and the same order given
/// again leads to its end. A batch that was logged and not committed is an ordinary one for
/// recovery: it reads whatever the brokers hold of those offsets, so nothing was passed over then.
package struct StreamMover {
  private let configuration: Configuration
  private let log: Log

  package init(_ configuration: Configuration, log: Log) {
    self.configuration = configuration
    self.log = log
  }

  /// What an order did.
  package struct Outcome: Equatable, Sendable {
    package let move: StreamMove
    /// The old checkpoint's copy; `nil` when nothing had to be done.
    package var backup: String?
    /// The batch that says what was passed over, or the one that the next run reads.
    package var batch: Int64?
    /// The new query, after a move back.
    package var queryID: String?
  }

  /// What carrying out the order would do; writes nothing.
  ///
  /// - Throws: `PipelineError`: the state or the topic does not allow the order, or the brokers
  ///   do not answer.
  package func plan(_ order: StreamOrder) throws -> StreamMove {
    do {
      return try ask(order).move
    } catch {
      throw PipelineError.translating(error)
    }
  }

  /// Carries out the order, after recovery has finished what a crash left.
  ///
  /// - Throws: `PipelineError`; the state is one that a start accepts.
  package func execute(_ order: StreamOrder, lock: InstanceLock) throws -> Outcome {
    do {
      return try carryOut(order, lock)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private func carryOut(_ order: StreamOrder, _ lock: InstanceLock) throws -> Outcome {
    let query = BronzeQuery(configuration: configuration, lock: lock, log: log)
    try query.recover()
    let (move, clusterID) = try ask(order)
    var outcome = Outcome(move: move)
    guard !move.isEmpty else { return outcome }
    let place = CheckpointPlace(
      query.checkpoint.path, work: configuration.paths.checkpointWork, query.publisher)
    outcome.backup = try place.backUp()
    if let end = move.batchEnd {
      try query.withdrawPending()
      outcome.batch = query.state?.nextBatch
      try query.logBatch(query.nextEntry(upTo: end))
    }
    if !move.skipped.isEmpty {
      try query.withdrawPending()
      let cause: LossCause = if case .acceptLoss = order { .gone } else { .skipped }
      outcome.batch = try query.passOver(move.skipped, cause, clusterID: clusterID)
    }
    if !move.repeated.isEmpty {
      outcome.queryID = try query.endStream(beginningAnotherAt: move.target, in: place)
    }
    return outcome
  }

  /// The order in offsets, from the checkpoint and the brokers.
  private func ask(_ order: StreamOrder) throws -> (move: StreamMove, clusterID: String?) {
    let kafka = configuration.kafka
    let state = try StateReader(configuration)
    let stream = try StreamPosition(state, configuration)
    let consumer = try KafkaConsumer.open(
      configuration, expectedPartitions: stream.offsets.count, log: log)
    defer { consumer.close() }
    if let table = state.bronze {
      try SourceIdentity.check(table, configuration, clusterID: consumer.metadata.clusterID)
    }
    let bounds = try consumer.bounds(timeout: kafka.connectTimeout)
    let plan = try KafkaPlan(
      topic: kafka.topic, position: stream.offsets, pendingEnd: nil, bounds: bounds,
      onMissingData: .continue)
    var goal: [Int32: Int64]?
    if case .reset(let wanted) = order {
      goal = try consumer.position(wanted, in: bounds, kafka)
    }
    return (
      try StreamMove(order, from: stream, plan, goal: goal), consumer.metadata.clusterID
    )
  }
}
