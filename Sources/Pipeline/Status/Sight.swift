internal import DeltaLake
internal import StreamCheckpoint

/// Looks at a query's checkpoint and tables until two looks in a row see the same.
///
/// Every number that it reads only ever rises. So when two looks agree, there was an instant
/// between them at which all of it was true together, although a daemon may be at work.
struct Sight {
  let checkpoint: CheckpointDirectory
  private let firstPath, secondPath: String
  private(set) var queryID: String?
  /// The table whose commit is a batch's commit point, and the other one.
  private(set) var first: DeltaTable?
  private(set) var second: DeltaTable?
  private(set) var observation = RecoveryObservation(
    offsets: nil, commits: nil, firstTable: nil, secondTable: nil, carriesSecond: false)
  private(set) var isDamaged = false

  /// A look takes milliseconds, a batch much longer; more looks than this are never needed.
  private static let attempts = 100

  init(_ checkpoint: CheckpointDirectory, first: String, second: String) {
    self.checkpoint = checkpoint
    firstPath = first
    secondPath = second
  }

  mutating func settle(_ onDamage: (any Error) throws -> Void) throws {
    for _ in 0..<Self.attempts {
      let before = (observation, first?.snapshot.version, second?.snapshot.version)
      try look(onDamage)
      let after = (observation, first?.snapshot.version, second?.snapshot.version)
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
    first = try attempt(onDamage) { try Self.newest($0.first, $0.firstPath) }
    second = try attempt(onDamage) { try Self.newest($0.second, $0.secondPath) }
    let id = queryID
    observation = RecoveryObservation(
      offsets: try attempt(onDamage) { try $0.checkpoint.offsetLog.batchIDs().last },
      commits: try attempt(onDamage) { try $0.checkpoint.commitLog.batchIDs().last },
      firstTable: id.flatMap { first?.snapshot.transactionVersion(of: $0) },
      secondTable: id.flatMap { second?.snapshot.transactionVersion(of: $0) },
      carriesSecond: false)
  }

  private static func newest(_ known: DeltaTable?, _ path: String) throws -> DeltaTable? {
    guard let known else { return try DeltaTable.open(path: path) }
    try known.refresh()
    return known
  }

  /// The commit point of the newest batch; `nil` when the log does not hold it (any more).
  func newestCommit() throws -> (tableVersion: Int64, info: CommitInfo)? {
    guard let queryID, let first, let batch = first.snapshot.transactionVersion(of: queryID)
    else { return nil }
    return try first.commitInfo(ofTransaction: queryID, version: batch).map {
      ($0.tableVersion, $0.info)
    }
  }
}
