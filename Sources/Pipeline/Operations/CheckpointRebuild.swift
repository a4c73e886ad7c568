internal import DeltaLake
package import DurableIO
internal import JSON
internal import StreamCheckpoint

/// Makes a lost or damaged checkpoint of Bronze again, from what the table's own commits say.
///
/// The commit of a batch names the query, the batch, its time and the range of each partition:
/// all that the checkpoint's files of that batch hold. A batch that was only logged is in no
/// table; the next run plans it anew.
package struct CheckpointRebuild {
  private let configuration: Configuration
  private let log: Log

  package init(_ configuration: Configuration, log: Log) {
    self.configuration = configuration
    self.log = log
  }

  /// What the new checkpoint holds.
  package struct Plan: Equatable, Sendable {
    package let queryID: String
    /// The newest batch, and the oldest one that gets files.
    package let newest: Int64
    package let oldest: Int64
    /// The next offset of each partition.
    package let position: [Int32: Int64]
    let initial: [Int32: Int64]
    /// The batches in their order.
    let batches: [Batch]
  }

  struct Batch: Equatable {
    let id: Int64
    let timestampMs: Int64
    let end: [Int32: Int64]
  }

  /// - Throws: `CHECKPOINT_SOUND` when there is nothing to make again, `REBUILD_IMPOSSIBLE` when
  ///   the table does not say what is needed; nothing was changed.
  package func plan() throws -> Plan {
    do {
      return try makePlan()
    } catch {
      throw PipelineError.translating(error)
    }
  }

  /// Makes the checkpoint and lets recovery prove it.
  ///
  /// - Returns: what was made, and the old checkpoint's copy; `nil` when there was none.
  /// - Throws: `PipelineError`; the old checkpoint is there as it was, or the new one, whole.
  package func execute(lock: InstanceLock) throws -> (plan: Plan, backup: String?) {
    do {
      return try carryOut(lock)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private func carryOut(_ lock: InstanceLock) throws -> (plan: Plan, backup: String?) {
    let plan = try makePlan()
    let paths = configuration.paths
    let place = CheckpointPlace(
      paths.bronzeCheckpoint, work: paths.checkpointWork, Publisher(lock: lock))
    let backup = try place.backUp()
    try write(plan, to: try place.makeFresh())
    try place.takeFresh()
    // The newest batch has no file in commits/ yet: recovery finishes it as after a crash.
    let query = BronzeQuery(configuration: configuration, lock: lock, log: log)
    try query.recover()
    let row = RecoveryRow.matching(try StateReader(configuration).observation)
    guard row == .nextBatch else {
      throw PipelineError(
        "STATE_CONTRADICTS", .damaged,
        "\(paths.bronzeCheckpoint): made again, and still not complete (row \(row.rawValue))",
        remedy: "run `shopmetricsctl verify`, which prints the details")
    }
    return (plan, backup)
  }

  private func write(_ plan: Plan, to checkpoint: CheckpointDirectory) throws {
    func text(_ offsets: [Int32: Int64]) -> String {
      KafkaOffsetsJSON.text(
        topic: configuration.kafka.topic, offsets: offsets, order: .ascending)
    }
    _ = try checkpoint.createQueryIfNeeded(id: plan.queryID)
    try checkpoint.addInitialOffsets(text(plan.initial))
    for batch in plan.batches {
      let entry = OffsetLogEntry(
        batchWatermarkMs: 0, batchTimestampMs: batch.timestampMs,
        confJSON: OffsetLogEntry.newCheckpointConf, sources: [text(batch.end)])
      _ = try checkpoint.addOffsets(batch.id, entry)
      if batch.id < plan.newest { _ = try checkpoint.addCommit(batch.id, CommitLogEntry()) }
    }
  }

  // MARK: What the table says

  private func makePlan() throws -> Plan {
    let old = try OldCheckpoint(configuration)
    guard !old.isSound else {
      throw PipelineError(
        "CHECKPOINT_SOUND", .configuration,
        "\(configuration.paths.bronzeCheckpoint) is whole and fits the tables",
        remedy: "`shopmetricsctl checkpoint show` prints what it holds; nothing has to be done")
    }
    guard let table = try DeltaTable.open(path: configuration.paths.bronze) else {
      throw impossible("there is no table", "start the daemon: it begins a new stream")
    }
    let commits = try newestCommits(of: table)
    guard let newest = commits.last, let oldest = commits.first else {
      throw impossible(
        "no commit of a batch of ours is in its log", "restore the checkpoint from a backup")
    }
    guard table.snapshot.transactionVersion(of: newest.queryID) == newest.accounting.batch else {
      throw impossible(
        "another program, such as Spark, committed its newest batch and did not say which offsets "
          + "that holds", "restore the checkpoint from where that program keeps it")
    }
    try checkAgainst(old, newest, table)
    var batches = commits.map {
      Batch(
        id: $0.accounting.batch, timestampMs: $0.timestampMs,
        end: $0.accounting.partitions.mapValues(\.end))
    }
    let first = oldest.accounting
    if first.batch > 0 {
      // Recovery reads the batch in front of the newest one, too.
      let before = Batch(
        id: first.batch - 1, timestampMs: max(0, oldest.timestampMs - 1),
        end: first.partitions.mapValues(\.start))
      batches.insert(before, at: 0)
    }
    return Plan(
      queryID: newest.queryID, newest: newest.accounting.batch, oldest: batches[0].id,
      position: newest.accounting.partitions.mapValues(\.end),
      initial: initialOffsets(old, newest, before: batches[0]), batches: batches)
  }

  /// Where the stream began; without the partitions that the topic got later, whose first batch
  /// would seem to have lost them.
  private func initialOffsets(
    _ old: OldCheckpoint, _ newest: BatchCommit, before oldest: Batch
  ) -> [Int32: Int64] {
    let isOfQuery = old.queryID ?? newest.queryID == newest.queryID
    let known = isOfQuery ? old.initialOffsets : nil
    return (known ?? newest.accounting.partitions.mapValues(\.total.start)).filter {
      $0.value <= oldest.end[$0.key] ?? -1
    }
  }

  private struct BatchCommit {
    let queryID: String
    let timestampMs: Int64
    let accounting: BatchAccounting
  }

  /// The newest query's batches without a gap, as many as a checkpoint keeps, the oldest first.
  private func newestCommits(of table: DeltaTable) throws -> [BatchCommit] {
    var found: [BatchCommit] = []
    for version in stride(from: table.snapshot.version, through: 0, by: -1) {
      guard found.count <= CheckpointDirectory.batchesToRetain,
        let actions = try table.actions(ofVersion: version)
      else { break }
      guard let commit = Self.batchCommit(actions) else { continue }
      if let later = found.last {
        guard commit.queryID == later.queryID,
          commit.accounting.batch == later.accounting.batch - 1
        else { break }
      }
      found.append(commit)
    }
    return found.reversed()
  }

  /// `nil` for a commit that is no batch of ours.
  private static func batchCommit(_ actions: [Action]) -> BatchCommit? {
    guard let object = actions.commitInfo?.shopmetrics,
      let accounting = BatchAccounting(object), accounting.query == BronzeQuery.name
    else { return nil }
    for case .transaction(let transaction) in actions
    where transaction.version == accounting.batch {
      guard let time = transaction.lastUpdated else { continue }
      return BatchCommit(
        queryID: transaction.appID, timestampMs: time, accounting: accounting)
    }
    return nil
  }

  /// Refuses where the tables are the older part, or the checkpoint was meant to be another one.
  private func checkAgainst(
    _ old: OldCheckpoint, _ newest: BatchCommit, _ table: DeltaTable
  ) throws {
    let batch = newest.accounting.batch
    if let record = try EarlierStreams.record(of: newest.queryID, in: table),
      record.batch == batch
    {
      throw impossible(
        "its newest batch is the last one of a stream that was reset, and no batch says where the "
          + "next stream begins",
        "put the newest copy that the reset kept, \(configuration.paths.bronzeCheckpoint).<date>, "
          + "in the checkpoint's place and run `shopmetricsctl checkpoint reset` again")
    }
    if old.queryID ?? newest.queryID == newest.queryID, let committed = old.newestCommit,
      committed > batch
    {
      throw impossible(
        "it ends with batch \(batch), and the checkpoint knows batch \(committed): the table lost "
          + "what was committed", "restore the table from a backup as new as the checkpoint")
    }
    let letters = try DeltaTable.open(path: configuration.paths.deadLetter)
    if let ahead = letters?.snapshot.transactionVersion(of: newest.queryID), ahead > batch {
      throw impossible(
        "it ends with batch \(batch), and the dead letters hold batch \(ahead)",
        "restore both tables from the same moment")
    }
  }

  private func impossible(_ finding: String, _ remedy: String) -> PipelineError {
    PipelineError(
      "REBUILD_IMPOSSIBLE", .damaged, "\(configuration.paths.bronze): \(finding)",
      remedy: remedy)
  }
}

/// What is left of the checkpoint that is to be made again.
private struct OldCheckpoint {
  /// Whether a start would accept it and every file of it is as it was written.
  let isSound: Bool
  let queryID: String?
  let newestCommit: Int64?
  let initialOffsets: [Int32: Int64]?

  init(_ configuration: Configuration) throws {
    let state = try StateReader(configuration) { error in
      // The tables must be whole, or nothing can be made of them.
      guard error is CheckpointError else { throw error }
    }
    let audit = try CheckpointAudit(state.checkpoint)
    let row = RecoveryRow.matching(state.observation)
    let isWritten = state.bronze?.snapshot.transactions.isEmpty == false
    let isMissing =
      row == .startNew && isWritten && (state.queryID == nil || state.earlierStreams.isEmpty)
    isSound = state.isWhole && !isMissing && audit.findings.isEmpty && !row.isRefusal
    queryID = state.queryID
    newestCommit = try CheckpointFiles.ids(in: state.checkpoint.commitLog.directory).last
    initialOffsets = audit.initialOffsets
  }
}
