import DurableIO
public import Parquet

/// One Delta table on a local disk.
///
/// An instance belongs to one thread. It keeps the snapshot that it has read; `refresh()` moves it
/// on, and a commit moves it to the version that was committed.
public final class DeltaTable {
  /// The root folder of the table.
  public let path: String
  /// The newest version that was read.
  public internal(set) var snapshot: Snapshot
  let log: LogDirectory
  /// The newest commit file as it was when it was read, so that a replaced one is noticed.
  var newestCommit: FileStatus?
  /// The newest checkpoint that could be read; nil when there is none.
  var checkpointVersion: Int64?

  private init(
    log: LogDirectory, snapshot: Snapshot, newestCommit: FileStatus?, checkpointVersion: Int64?
  ) {
    path = log.table
    self.log = log
    self.snapshot = snapshot
    self.newestCommit = newestCommit
    self.checkpointVersion = checkpointVersion
  }

  /// Opens a table and reads its newest version.
  ///
  /// - Returns: nil when there is no table: no `_delta_log`, or one without versions.
  /// - Throws: `DeltaError` when the log is damaged (naming the file) or asks for what this reader
  ///   does not do (naming it); `SystemError` when it cannot be read.
  public static func open(path: String) throws -> DeltaTable? {
    let log = LogDirectory(table: path)
    guard let listing = try log.listing() else { return nil }
    var warnings: [String] = []
    if let warning = try log.hintWarning(listing) { warnings.append(warning) }
    // Before the log is read: a commit that comes in between is then seen as replaced, not missed.
    let newestCommit = try listing.commits.last.flatMap { try log.status(ofCommit: $0) }
    let (state, checkpoint) = try log.withReplay(of: listing, warn: { warnings.append($0) }) {
      (try $0.state(), $0.segment.checkpoint?.version)
    }
    // A checkpoint stands for the commit of its own version, which may be damaged nevertheless.
    if let checkpoint, checkpoint == listing.commits.last { _ = try log.commit(checkpoint) }
    if let metadata = state.metadata { warnings += TableProperty.warnings(metadata) }
    return DeltaTable(
      log: log, snapshot: try Snapshot(state, table: path, warnings: warnings),
      newestCommit: listing.commits.last == state.version ? newestCommit : nil,
      checkpointVersion: checkpoint)
  }

  /// Moves on to the newest version.
  ///
  /// When nothing was committed since, this asks the file system for the next version and for the
  /// last one, and reads nothing.
  ///
  /// - Returns: what changed; the caller decides which changes of other writers it accepts.
  /// - Throws: `DeltaError` when a new commit is damaged or asks for what this reader does not do,
  ///   or `.rewrittenLog` when the version that was read is gone or is another file. The snapshot
  ///   then stays at the last version that was good.
  @discardableResult
  public func refresh() throws -> LogChange {
    try checkNewestCommit()
    let first = snapshot.version
    var change = LogChange()
    while let (status, actions) = try nextCommit() {
      change.note(actions)
      try apply(actions, status)
    }
    change.versions = snapshot.version - first
    return change
  }

  private func nextCommit() throws -> (FileStatus, [Action])? {
    let next = snapshot.version + 1
    guard let status = try log.status(ofCommit: next), let actions = try log.commit(next) else {
      return nil
    }
    return (status, actions)
  }

  /// Takes over the commit that follows the snapshot.
  func apply(_ actions: [Action], _ status: FileStatus?) throws {
    var state = TableState()
    state.tableProtocol = snapshot.tableProtocol
    state.metadata = snapshot.metadata
    state.transactions = snapshot.transactionEntries
    state.apply(actions, version: snapshot.version + 1)
    snapshot = try Snapshot(state, table: path, warnings: snapshot.warnings)
    newestCommit = status
  }

  /// Notices a log that went back in time, or a commit that another writer replaced: the local
  /// rename of some writers overwrites a version that exists.
  func checkNewestCommit() throws {
    guard let known = newestCommit else { return }
    let version = snapshot.version
    let found = try log.status(ofCommit: version)
    guard let found, found.inode == known.inode, found.size == known.size else {
      throw DeltaError(
        .rewrittenLog, table: path, version: version,
        "expected _delta_log/\(LogPath.commitName(version)) as it was read before, found "
          + (found == nil ? "nothing" : "another file"),
        hint: "Another program replaced the log while this one had it open. Stop the other writer, "
          + "then restart.")
    }
  }

  /// The actions of one version; nil when its commit is not in the log (any more).
  ///
  /// - Throws: `DeltaError` when the commit is damaged, naming file, line and byte.
  public func actions(ofVersion version: Int64) throws -> [Action]? {
    try log.commit(version)
  }

  /// The newest commit that recorded this transaction, searched from the snapshot backwards.
  ///
  /// - Returns: nil when the log does not hold it (any more).
  package func commitInfo(
    ofTransaction appID: String, version: Int64
  ) throws -> (tableVersion: Int64, info: CommitInfo, actions: [Action])? {
    guard let newest = snapshot.transactionVersion(of: appID), newest >= version else {
      return nil
    }
    var tableVersion = snapshot.version
    while tableVersion >= 0, let actions = try log.commit(tableVersion) {
      for case .transaction(let transaction) in actions where transaction.appID == appID {
        guard transaction.version >= version else { return nil }
        if transaction.version == version, let info = actions.commitInfo {
          return (tableVersion, info, actions)
        }
      }
      tableVersion -= 1
    }
    return nil
  }

  /// Calls `body` for every file of the snapshot; memory does not grow with their number.
  ///
  /// When a checkpoint turns out to be damaged half-way, an older way to read the log is taken and
  /// `restart` is called before the files come again from the first one.
  package func forEachLiveFile(restart: () -> Void, _ body: (AddFile) throws -> Void) throws {
    try withReplay(restart: restart) { try $0.forEachLiveFile(body) }
  }

  func withReplay<Result>(
    restart: () -> Void, _ body: (LogReplay) throws -> Result
  ) throws -> Result {
    guard let listing = try log.listing(upTo: snapshot.version),
      listing.newest == snapshot.version
    else {
      throw DeltaError(
        .rewrittenLog, table: path, version: snapshot.version,
        "expected version \(snapshot.version) in _delta_log, found no file of it",
        hint: "Another program replaced the log while this one had it open. Restart.")
    }
    var found: [String] = []
    defer {
      for warning in found where !snapshot.warnings.contains(warning) {
        snapshot.warnings.append(warning)
      }
    }
    return try log.withReplay(of: listing, warn: { found.append($0) }) { replay in
      restart()
      return try body(replay)
    }
  }

  /// The files of the snapshot.
  ///
  /// Memory grows with their number.
  public func liveFiles() throws -> [AddFile] {
    var files: [AddFile] = []
    try forEachLiveFile(restart: { files = [] }) { files.append($0) }
    return files
  }

  /// The files that left the table and that the log still names.
  public func tombstones() throws -> [RemoveFile] {
    var files: [RemoveFile] = []
    try withReplay(restart: { files = [] }) { replay in
      try replay.forEachTombstone { files.append($0) }
    }
    return files
  }

  /// Opens a data file of the table.
  ///
  /// Columns that were added after the file was written are not in it; `leaf(ofColumn:)` is nil for
  /// them and every row is null there.
  public func openFile(_ file: AddFile) throws -> FileReader {
    try FileReader(path: diskPath(of: file.filePath))
  }

  /// Where a `path` of the log is on this disk; clones name other folders by absolute paths.
  func diskPath(of filePath: String) -> String {
    if filePath.hasPrefix("file:///") { return String(filePath.dropFirst(7)) }
    if filePath.hasPrefix("file:/") { return String(filePath.dropFirst(5)) }
    return filePath.hasPrefix("/") ? filePath : "\(path)/\(filePath)"
  }
}

/// What `refresh()` found.
public struct LogChange: Equatable, Sendable {
  /// How many versions are new.
  public var versions: Int64 = 0
  /// The schema or the properties of the table were written anew.
  public var metadataChanged = false
  public var protocolChanged = false
  /// The applications that recorded a transaction.
  public var transactions: Set<String> = []

  init() {}

  mutating func note(_ actions: [Action]) {
    for action in actions {
      switch action {
      case .metadata: metadataChanged = true
      case .protocolVersions: protocolChanged = true
      case .transaction(let transaction): transactions.insert(transaction.appID)
      case .add, .remove, .commitInfo, .unknown: break
      }
    }
  }
}

extension [Action] {
  /// The commit's own description; other writers may give none, or not as the first line.
  package var commitInfo: CommitInfo? {
    for case .commitInfo(let info) in self { return info }
    return nil
  }
}
