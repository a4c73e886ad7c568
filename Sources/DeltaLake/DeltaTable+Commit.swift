package import DurableIO
import Glibc

extension DeltaTable {
  /// Creates a table whose version 0 holds its protocol and its metadata; a table that is there
  /// already is opened, whatever its metadata.
  ///
  /// - Throws: `DeltaError`, `SystemError`. A table without versions may be left, which the next
  ///   call completes.
  package static func create(
    path: String, metadata: TableMetadata, info: CommitInfo, publisher: Publisher,
    commitRole: FileRole
  ) throws -> DeltaTable {
    if let table = try open(path: path) { return table }
    let log = LogDirectory(table: path)
    try Files.makeDirectories(log.path)
    let actions: [Action] = [.metadata(metadata), .protocolVersions(.ours)]
    // Either outcome leaves a version 0: ours, or that of another creator.
    _ = try publisher.publish(
      CommitFile.bytes(info, actions), as: LogPath.commitName(0), in: log.path, role: commitRole,
      mode: .ifAbsent, sidecar: false)
    guard let table = try open(path: path) else {
      throw DeltaError(
        .rewrittenLog, table: path, version: 0, "version 0 is not there after it was written",
        hint: "Another program removes files from the table. Stop it, then restart.")
    }
    return table
  }

  /// Commits actions as the version after `readVersion`, or not at all.
  ///
  /// - Parameters:
  ///   - actions: all but `commitInfo`, one line each in this order.
  ///   - info: becomes the first line; its `readVersion` is filled in.
  ///   - readVersion: the version that the actions were computed from.
  /// - Returns: `.conflict` with `.versionTaken` when that version is not the newest any more;
  ///   `refresh()` shows what the other writer did.
  /// - Throws: `DeltaError` when the table may not be written, a rule of it would be broken or a
  ///   data file is missing: nothing was committed. `SystemError` from publishing: the commit may
  ///   be there or not; reopening the table tells.
  package func commit(
    _ actions: [Action], info: CommitInfo, expecting readVersion: Int64, publisher: Publisher,
    role: FileRole
  ) throws -> CommitResult {
    guard snapshot.version == readVersion else {
      return .conflict(version: readVersion + 1, reason: .versionTaken)
    }
    try check(actions)
    guard try publish(actions, info, publisher, role) else {
      return .conflict(version: readVersion + 1, reason: .versionTaken)
    }
    return .committed(version: snapshot.version)
  }

  /// Commits a blind append: actions that depend on nothing in the table but its schema and on the
  /// transactions that they record.
  ///
  /// When other writers were faster the append takes the next free version, unless one of them
  /// changed the metadata, the protocol, or recorded a transaction of the same application.
  ///
  /// - Throws: as `commit`, and `.tooManyConflicts` after ten lost races.
  package func commitAppend(
    _ actions: [Action], info: CommitInfo, publisher: Publisher, role: FileRole
  ) throws -> CommitResult {
    for _ in 0..<Self.attempts {
      let change = try refresh()
      if let reason = conflict(between: actions, and: change) {
        return .conflict(version: snapshot.version, reason: reason)
      }
      try check(actions)
      if try publish(actions, info, publisher, role) {
        return .committed(version: snapshot.version)
      }
    }
    throw DeltaError(
      .tooManyConflicts, table: path, version: snapshot.version,
      "\(Self.attempts) versions in a row were taken by other writers",
      hint: "Nothing was committed; the next run tries again. Find out who else writes the table.")
  }

  private static let attempts = 10

  private func conflict(between actions: [Action], and change: LogChange) -> ConflictReason? {
    if change.protocolChanged { return .protocolChanged }
    if change.metadataChanged { return .metadataChanged }
    for case .transaction(let ours) in actions where change.transactions.contains(ours.appID) {
      return .transaction(appID: ours.appID)
    }
    return nil
  }

  /// Publishes the version after the snapshot and moves the snapshot to it; false when another
  /// writer has that version.
  private func publish(
    _ actions: [Action], _ info: CommitInfo, _ publisher: Publisher, _ role: FileRole
  ) throws -> Bool {
    let version = snapshot.version + 1
    var info = info
    info.readVersion = snapshot.version
    let outcome = try publisher.publish(
      CommitFile.bytes(info, actions), as: LogPath.commitName(version), in: log.path, role: role,
      mode: .ifAbsent, sidecar: false)
    guard outcome == .published else { return false }
    try apply([.commitInfo(info)] + actions, try statusAfterPublishing(version))
    return true
  }

  /// Keeps file times rising with versions: they are the times of the versions for time travel and
  /// for log clean-up, and a clock may have been set back.
  private func statusAfterPublishing(_ version: Int64) throws -> FileStatus? {
    let status = try log.status(ofCommit: version)
    guard let status, let before = newestCommit,
      status.mtimeMilliseconds <= before.mtimeMilliseconds
    else { return status }
    let milliseconds = before.mtimeMilliseconds + 1
    let time = timespec(
      tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
    let name = log.path(of: LogPath.commitName(version))
    // A time that cannot be set makes time travel imprecise; the commit is good either way.
    _ = [time, time].withUnsafeBufferPointer { utimensat(AT_FDCWD, name, $0.baseAddress, 0) }
    return try log.status(ofCommit: version)
  }
}
