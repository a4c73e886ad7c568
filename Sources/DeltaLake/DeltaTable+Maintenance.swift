package import DurableIO

extension DeltaTable {
  /// Writes a checkpoint of the snapshot when `interval` versions have passed since the last one.
  ///
  /// One that failed is made up for at the next call.
  ///
  /// - Parameter now: milliseconds since 1970; tombstones older than the table's retention of
  ///   deleted files are left out.
  /// - Returns: the version of the checkpoint; nil when none was due.
  /// - Throws: as `writeCheckpoint`.
  package func writeCheckpointIfDue(
    interval: Int64, now: Int64, publisher: Publisher
  ) throws -> Int64? {
    guard snapshot.version - (checkpointVersion ?? 0) >= max(1, interval) else { return nil }
    try writeCheckpoint(now: now, publisher: publisher)
    return snapshot.version
  }

  /// Writes a checkpoint of the snapshot and points `_last_checkpoint` to it.
  ///
  /// Readers take the newest checkpoint without a second thought, so it is read back with our own
  /// reader and compared before anything points to it, and removed when it differs.
  ///
  /// - Throws: `SystemError`, `DeltaError`, `ParquetError`; the table is as good as before.
  package func writeCheckpoint(now: Int64, publisher: Publisher) throws {
    try checkWritable()
    try checkNewestCommit()
    let expiry = now - TableProperty.deletedFileRetention(snapshot.metadata)
    let written = try withReplay(restart: {}) { replay in
      try publishCheckpoint(replay, expiry: expiry, publisher)
    }
    try verifyCheckpoint(written)
    let hint = LastCheckpoint(version: snapshot.version, size: written.rowCount)
    _ = try publisher.publish(
      hint.bytes, as: LogPath.lastCheckpointName, in: log.path, role: .lastCheckpoint,
      mode: .replace, sidecar: false)
    checkpointVersion = snapshot.version
  }

  private var checkpointFiles: CheckpointFiles {
    CheckpointFiles(
      version: snapshot.version, names: [LogPath.checkpointName(snapshot.version)])
  }

  private func publishCheckpoint(
    _ replay: LogReplay, expiry: Int64, _ publisher: Publisher
  ) throws -> CheckpointContent {
    var staged = try publisher.stage(
      LogPath.checkpointName(snapshot.version), in: log.path, role: .deltaCheckpoint)
    let content = try writeRows(replay, expiry: expiry) { bytes in try staged.write(bytes) }
    _ = try staged.publish(.replace)
    return content
  }

  private func writeRows(
    _ replay: LogReplay, expiry: Int64, write: (UnsafeRawBufferPointer) throws -> Void
  ) throws -> CheckpointContent {
    let state = try replay.state()
    var content = CheckpointContent(state)
    let rows = try CheckpointWriter()
    for action in state.actions { try rows.append(action, write: write) }
    try replay.forEachLiveFile { file in
      content.note(file)
      try rows.append(.add(file), write: write)
    }
    try replay.forEachTombstone { file in
      guard let deleted = file.deletionTimestamp, deleted > expiry else { return }
      content.note(file)
      try rows.append(.remove(file), write: write)
    }
    try rows.finish(write: write)
    return content
  }

  private func verifyCheckpoint(_ written: CheckpointContent) throws {
    let found: CheckpointContent
    do {
      found = try CheckpointReader(log: log, files: checkpointFiles).content()
    } catch {
      try removeCheckpoint()
      throw error
    }
    guard found == written else {
      try removeCheckpoint()
      throw DeltaError(
        .damagedCheckpoint, table: path, version: snapshot.version,
        "the checkpoint that was just written reads back differently and was removed",
        hint: "The table is as before. Check the disk and the memory of this machine.")
    }
  }

  private func removeCheckpoint() throws {
    for name in checkpointFiles.names { try Files.remove(log.path(of: name)) }
  }
}

extension TableState {
  /// The state as the actions of a checkpoint, in an order that depends on nothing else.
  fileprivate var actions: [Action] {
    var actions: [Action] = []
    if let tableProtocol { actions.append(.protocolVersions(tableProtocol)) }
    if let metadata { actions.append(.metadata(metadata)) }
    for (_, transaction) in transactions.sorted(by: { $0.key < $1.key }) {
      actions.append(.transaction(transaction))
    }
    return actions
  }
}
