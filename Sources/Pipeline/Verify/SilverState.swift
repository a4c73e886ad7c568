internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

/// What the files say of Silver at one instant, read without writing anything.
struct SilverState {
  let checkpoint: CheckpointDirectory
  let queryID: String?
  let sessions: DeltaTable?
  let events: DeltaTable?
  let observation: RecoveryObservation
  /// Of the newest batch in the sessions table; `nil` without one that can be read.
  let accounting: SilverAccounting?
  /// Whether a rebuild has passed its commit point and is still to be finished: the new query's
  /// checkpoint may not be in its place yet.
  let isSwitching: Bool
  /// Why parts could not be read; they are `nil` then.
  let damage: [any Error]

  /// Where the checkpoint lies that belongs to the live tables.
  private struct Place: Equatable {
    var checkpoint: String
    var isSwitching: Bool

    init(_ paths: StatePaths) throws {
      checkpoint = paths.silverCheckpoint
      isSwitching = false
      let path = "\(paths.silverRebuild)/\(RebuildIntent.name)"
      guard let bytes = try Files.readIfPresent(path) else { return }
      let intent = try RebuildIntent(bytes: bytes, path: path)
      guard let sessions = try DeltaTable.open(path: paths.sessions),
        sessions.snapshot.transactionVersion(of: intent.queryID) == intent.batch
      else { return }
      isSwitching = true
      let fresh = SilverPaths.rebuild(paths).checkpoint
      if try Files.exists(fresh) { checkpoint = fresh }
    }
  }

  /// How often a rebuild may be seen to move the checkpoint: it does so once.
  private static let attempts = 10

  /// - Throws: `PipelineError` for the intent of a rebuild that cannot be read; `SystemError`.
  init(_ paths: StatePaths) throws {
    var place = try Place(paths)
    var sight: Sight
    var damage: [any Error]
    var attempt = 0
    repeat {
      let before = place
      damage = []
      sight = Sight(
        CheckpointDirectory(path: place.checkpoint, publisher: Publisher(lock: nil)),
        first: paths.sessions, second: paths.events)
      try sight.settle { damage.append($0) }
      place = try Place(paths)
      attempt += 1
      if place == before { break }
    } while attempt < Self.attempts

    let accounting = try sight.attempt({ damage.append($0) }) {
      try $0.newestCommit()?.info.shopmetrics.flatMap(SilverAccounting.init)
    }
    var observation = sight.observation
    observation.carriesSecond = accounting?.second != nil
    checkpoint = sight.checkpoint
    queryID = sight.queryID
    sessions = sight.first
    events = sight.second
    isSwitching = place.isSwitching
    self.observation = observation
    self.accounting = accounting
    self.damage = damage
  }

  var isWhole: Bool { damage.isEmpty }

  var tables: [DeltaTable] { [sessions, events].compactMap { $0 } }

  /// What the newest batch carries for the events table, when that has not got it yet.
  func pendingActions() throws -> [Action] {
    guard let accounting, let second = accounting.second,
      (observation.secondTable ?? -1) < accounting.batch
    else { return [] }
    return try second.actions.map { try Action($0) }
  }

  /// The files of the events table as they are once the newest batch is finished.
  ///
  /// All of them are durable already, so that they can be compared with the sessions.
  func eventFiles() throws -> [AddFile] {
    var files = try events?.liveFiles() ?? []
    var removed: Set<String> = []
    for action in try pendingActions() {
      switch action {
      case .remove(let file): removed.insert(file.path)
      case .add(let file): files.append(file)
      case .transaction, .metadata, .protocolVersions, .commitInfo, .unknown: break
      }
    }
    files.removeAll { removed.contains($0.path) }
    return files
  }
}
