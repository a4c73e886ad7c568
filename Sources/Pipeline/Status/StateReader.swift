internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

/// What the files below a state directory say, read without writing anything.
///
/// Works while the daemon runs and while it is down: what it holds was all true at one instant.
package struct StateReader {
  package let paths: StatePaths
  package let queryID: String?
  package let observation: RecoveryObservation
  /// The accounting of the newest batch in the Bronze table, when our own commit holds it.
  package let accounting: BatchAccounting?
  /// The newest logged batch's offsets and time.
  package let newestOffsets: (batch: Int64, offsets: [Int32: Int64], timestampMs: Int64)?
  let bronze: DeltaTable?
  let deadLetters: DeltaTable?
  let checkpoint: CheckpointDirectory
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
    var sight = Sight(paths: paths, checkpoint: checkpoint)
    try sight.settle(onDamage)
    queryID = sight.queryID
    bronze = sight.bronze
    deadLetters = sight.deadLetters
    let accounting = try sight.attempt(onDamage) { try $0.newestAccounting() }
    newestOffsets = try sight.attempt(onDamage) { try $0.newestOffsets() }
    self.accounting = accounting
    var observation = sight.observation
    observation.carriesSecond = accounting?.second != nil
    self.observation = observation
    isWhole = !sight.isDamaged
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

/// Looks at checkpoint and tables until two looks in a row see the same.
///
/// Every number that it reads only ever rises. So when two looks agree, there was an instant
/// between them at which all of it was true together, although a daemon may be at work.
private struct Sight {
  let paths: StatePaths
  let checkpoint: CheckpointDirectory
  private(set) var queryID: String?
  private(set) var bronze: DeltaTable?
  private(set) var deadLetters: DeltaTable?
  private(set) var observation = RecoveryObservation(
    offsets: nil, commits: nil, firstTable: nil, secondTable: nil, carriesSecond: false)
  private(set) var isDamaged = false

  /// A look takes milliseconds, a batch much longer; more looks than this are never needed.
  private static let attempts = 100

  init(paths: StatePaths, checkpoint: CheckpointDirectory) {
    self.paths = paths
    self.checkpoint = checkpoint
  }

  mutating func settle(_ onDamage: (any Error) throws -> Void) throws {
    for _ in 0..<Self.attempts {
      let before = (observation, bronze?.snapshot.version, deadLetters?.snapshot.version)
      try look(onDamage)
      let after = (observation, bronze?.snapshot.version, deadLetters?.snapshot.version)
      if before == after || isDamaged { return }
    }
  }

  /// `nil` when `body` throws and `onDamage` accepts that.
  mutating func attempt<Value>(
    _ onDamage: (any Error) throws -> Void, _ body: (Sight) throws -> Value?
  ) throws -> Value? {
    do {
      return try body(self)
    } catch {
      isDamaged = true
      try onDamage(error)
      return nil
    }
  }

  private mutating func look(_ onDamage: (any Error) throws -> Void) throws {
    queryID = try attempt(onDamage) { try $0.checkpoint.queryID() }
    bronze = try attempt(onDamage) { try Self.newest($0.bronze, $0.paths.bronze) }
    deadLetters = try attempt(onDamage) { try Self.newest($0.deadLetters, $0.paths.deadLetter) }
    let id = queryID
    observation = RecoveryObservation(
      offsets: try attempt(onDamage) { try $0.checkpoint.offsetLog.batchIDs().last },
      commits: try attempt(onDamage) { try $0.checkpoint.commitLog.batchIDs().last },
      firstTable: id.flatMap { bronze?.snapshot.transactionVersion(of: $0) },
      secondTable: id.flatMap { deadLetters?.snapshot.transactionVersion(of: $0) },
      carriesSecond: false)
  }

  private static func newest(_ known: DeltaTable?, _ path: String) throws -> DeltaTable? {
    guard let known else { return try DeltaTable.open(path: path) }
    try known.refresh()
    return known
  }

  func newestAccounting() throws -> BatchAccounting? {
    guard let queryID, let bronze,
      let version = bronze.snapshot.transactionVersion(of: queryID),
      let commit = try bronze.commitInfo(ofTransaction: queryID, version: version)
    else { return nil }
    return commit.info.shopmetrics.flatMap(BatchAccounting.init)
  }

  func newestOffsets() throws -> (batch: Int64, offsets: [Int32: Int64], timestampMs: Int64)? {
    guard let batch = observation.offsets, let entry = try checkpoint.offsets(batch),
      let text = entry.sources.first, let text
    else { return nil }
    let path = "\(checkpoint.offsetLog.directory)/\(batch)"
    let offsets = try KafkaOffsetsJSON.parse(text, path: path).offsets
    return (batch, offsets, entry.batchTimestampMs)
  }
}
