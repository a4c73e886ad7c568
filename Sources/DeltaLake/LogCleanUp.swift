package import DurableIO

extension DeltaTable {
  /// Removes commits and checkpoints that nobody needs any more.
  ///
  /// What stays: the newest checkpoint that is as old as the retention, the commit of that version
  /// (Delta 3.3 asks for it), and everything later. So every version that is younger than the
  /// retention can still be read, and so can every version from `keepingFrom` on.
  ///
  /// - Parameters:
  ///   - keepingFrom: the oldest version whose commit a consumer still reads.
  ///   - retention: milliseconds.
  ///   - now: milliseconds since 1970.
  /// - Returns: the names of the removed files, oldest first.
  /// - Throws: `.clockWentBack` when the newest commit is from after `now`, `.damagedCheckpoint`
  ///   when what would stay cannot be read; nothing was removed then. `SystemError`.
  package func cleanUpLog(
    keepingFrom version: Int64, retention: Int64, now: Int64, publisher: Publisher
  ) throws -> [String] {
    guard snapshot.metadata.configuration["delta.enableExpiredLogCleanup"] != "false" else {
      return []
    }
    try checkClock(now)
    guard let names = try log.names() else { return [] }
    let listing = LogListing(names: names, upTo: snapshot.version)
    guard let kept = try checkpoint(in: listing, keepingFrom: version, before: now - retention),
      names.contains(where: { Self.isObsolete($0, before: kept.version) })
    else { return [] }
    // The commits that the checkpoint stands for are about to go: it must be readable.
    _ = try CheckpointReader(log: log, files: kept).content()
    try repairHint(listing, before: kept.version, publisher)
    return try removeObsolete(names, before: kept.version)
  }

  /// Ages mean nothing while the clock is behind the newest commit.
  func checkClock(_ now: Int64) throws {
    guard let newest = try log.status(ofCommit: snapshot.version),
      newest.mtimeMilliseconds > now
    else { return }
    throw DeltaError(
      .clockWentBack, table: path, version: snapshot.version,
      "the newest commit is \(newest.mtimeMilliseconds - now) ms younger than the clock says it "
        + "is now",
      hint: "Nothing was removed. Set the clock right.")
  }

  private func checkpoint(
    in listing: LogListing, keepingFrom version: Int64, before cutOff: Int64
  ) throws -> CheckpointFiles? {
    for files in listing.checkpoints.reversed() where files.version <= version {
      let commit = try log.status(ofCommit: files.version)
      if let commit, commit.mtimeMilliseconds <= cutOff { return files }
    }
    return nil
  }

  /// Other readers stop at a hint that names a checkpoint that is gone.
  private func repairHint(
    _ listing: LogListing, before version: Int64, _ publisher: Publisher
  ) throws {
    guard let newest = listing.checkpoints.last,
      let bytes = try Files.readIfPresent(log.path(of: LogPath.lastCheckpointName))
    else { return }
    if let hint = LastCheckpoint(bytes), hint.version >= version { return }
    let content = try CheckpointReader(log: log, files: newest).content()
    let hint = LastCheckpoint(version: newest.version, size: content.rowCount)
    _ = try publisher.publish(
      hint.bytes, as: LogPath.lastCheckpointName, in: log.path, role: .lastCheckpoint,
      mode: .replace, sidecar: false)
  }

  private func removeObsolete(_ names: [String], before version: Int64) throws -> [String] {
    let obsolete = names.filter { Self.isObsolete($0, before: version) }.sorted()
    for name in obsolete {
      try Files.remove(log.path(of: name))
      try Files.remove(log.path(of: ".\(name).crc"))
    }
    return obsolete
  }

  private static func isObsolete(_ name: String, before version: Int64) -> Bool {
    switch LogPath(name: name) {
    case .commit(let found), .checkpoint(let found), .checkpointPart(let found, _, _),
      .versionChecksum(let found), .compactedCommits(_, let found):
      found < version
    case .namedCheckpoint, .lastCheckpoint, .other: false
    }
  }
}
