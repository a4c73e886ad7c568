internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

/// What the files below a state directory say, read without writing anything.
///
/// Works while the daemon runs and while it is down: what it holds was all true at one instant.
package struct StateReader {
  package let paths: StatePaths
  package let queryID: String?
  package let observation: RecoveryObservation
  /// The accounting of the newest batch in the Bronze table, when our own commit holds it; its
  /// totals are as later retries of dead letters left them.
  package let accounting: BatchAccounting?
  /// The newest logged batch's offsets and time.
  package let newestOffsets: (batch: Int64, offsets: [Int32: Int64], timestampMs: Int64)?
  /// What earlier queries put into the tables.
  let earlierStreams: [BatchAccounting]
  let bronze: DeltaTable?
  let deadLetters: DeltaTable?
  let checkpoint: CheckpointDirectory
  let retries: RetryObservation
  /// A retry of dead letters that the second table has not got yet.
  let pendingRetry: RetryAccounting?
  /// Whether every file could be read.
  let isWhole: Bool

  /// - Throws: `PipelineError` for a file that cannot be read.
  package init(_ configuration: Configuration) throws {
    do {
      try self.init(configuration, onDamage: { throw $0 })
    } catch {
      throw PipelineError.translating(error)
    }
  }

  /// Reads what can be read.
  /// - Parameter onDamage: gets what a part could not be read for, which is `nil` then.
  init(_ configuration: Configuration, onDamage: (any Error) throws -> Void) throws {
    paths = configuration.paths
    checkpoint = CheckpointDirectory(
      path: paths.bronzeCheckpoint, publisher: Publisher(lock: nil))
    var sight = Sight(checkpoint, first: paths.bronze, second: paths.deadLetter)
    try sight.settle(onDamage)
    queryID = sight.queryID
    bronze = sight.first
    deadLetters = sight.second
    let accounting = try sight.attempt(onDamage) { sight -> BatchAccounting? in
      guard let commit = try sight.newestCommit(),
        let accounting = commit.info.shopmetrics.flatMap(BatchAccounting.init)
      else { return nil }
      return try sight.first?.totals(of: accounting, since: commit.tableVersion)
    }
    let retries = RetryObservation(sight.first, sight.second)
    self.retries = retries
    pendingRetry = try sight.attempt(onDamage) { sight -> RetryAccounting? in
      guard case .pending(let number) = retries.meaning else { return nil }
      return try sight.first?.retryCommit(number)
    }
    newestOffsets = try sight.attempt(onDamage) { try $0.newestOffsets() }
    let id = sight.queryID
    let earlierStreams = try sight.attempt(onDamage) { sight in
      try sight.first.map { try EarlierStreams.read($0, besides: id) }
    }
    self.earlierStreams = earlierStreams ?? []
    self.accounting = accounting
    var observation = sight.observation
    observation.carriesSecond = accounting?.second != nil
    self.observation = observation
    isWhole = !sight.isDamaged
  }

  /// What each query put into the tables, the present one last when it has a batch.
  var streams: [BatchAccounting] { earlierStreams + (accounting.map { [$0] } ?? []) }

  /// Where the totals of any of them begin, in each partition.
  var streamStarts: [Int32: Int64] {
    streams.reduce(into: [:]) { starts, stream in
      starts.merge(stream.partitions.mapValues(\.total.start), uniquingKeysWith: min)
    }
  }

  package var bronzeVersion: Int64? { bronze?.snapshot.version }
  package var deadLetterVersion: Int64? { deadLetters?.snapshot.version }

  /// Files and bytes of a table that are live now.
  package struct TableSize: Equatable, Sendable {
    package var files = 0
    package var bytes: Int64 = 0
  }

  package func bronzeSize() throws -> TableSize { try Self.size(of: bronze) }
  package func deadLetterSize() throws -> TableSize { try Self.size(of: deadLetters) }

  /// The process that holds the state directory; `nil` when none does.
  package func holder() -> Int32? {
    guard (try? Files.exists(paths.lock)) == true else { return nil }
    return InstanceLock.holder(path: paths.lock)
  }

  private static func size(of table: DeltaTable?) throws -> TableSize {
    var size = TableSize()
    for file in try table?.liveFiles() ?? [] {
      size.files += 1
      size.bytes += file.size
    }
    return size
  }
}

extension Sight {
  fileprivate func newestOffsets() throws
    -> (batch: Int64, offsets: [Int32: Int64], timestampMs: Int64)?
  {
    guard let batch = observation.offsets, let entry = try checkpoint.offsets(batch),
      let text = entry.sources.first, let text
    else { return nil }
    let path = "\(checkpoint.offsetLog.directory)/\(batch)"
    let offsets = try KafkaOffsetsJSON.parse(text, path: path).offsets
    return (batch, offsets, entry.batchTimestampMs)
  }
}
