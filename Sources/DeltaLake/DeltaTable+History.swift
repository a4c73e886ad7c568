internal import DurableIO

/// The table as it was: what a reader that follows the log needs.
extension DeltaTable {
  /// Calls `body` for every file of `version`, which is the snapshot's or an older one; memory does
  /// not grow with their number.
  ///
  /// - Parameter restart: called before the first file, and again when a damaged checkpoint made
  ///   the reading start over.
  /// - Returns: false when the log no longer tells what the version held.
  /// - Throws: `DeltaError` when the log is damaged.
  package func forEachFile(
    ofVersion version: Int64, restart: () -> Void, _ body: (AddFile) throws -> Void
  ) throws -> Bool {
    guard let names = try log.names() else { return false }
    let listing = LogListing(names: names, upTo: version)
    guard listing.newest == version, listing.gap(after: listing.checkpoints.last) == nil else {
      return false
    }
    try log.withReplay(of: listing, warn: { _ in }) { replay in
      restart()
      try replay.forEachLiveFile(body)
    }
    return true
  }

  /// The oldest version that a reader can still ask for: the log tells what it held, and its data
  /// files are there.
  ///
  /// Reads the log from the newest commit backwards, so the time grows with the log.
  /// - Throws: `DeltaError` when the log is damaged.
  package func oldestReadableVersion() throws -> Int64 {
    guard let listing = try log.listing(upTo: snapshot.version) else { return snapshot.version }
    var version = snapshot.version
    // Without the files that this commit took out, nothing older can be read.
    while version > 0, let actions = try log.commit(version) {
      let isReadable = try actions.allSatisfy { action in
        guard case .remove(let file) = action else { return true }
        return try Files.exists(diskPath(of: file.filePath))
      }
      guard isReadable else { break }
      version -= 1
    }
    // A version is read from a checkpoint, or from version 0, and all commits that follow.
    let first = listing.commits.first ?? snapshot.version
    let starts =
      listing.checkpoints.map(\.version).filter { $0 >= first - 1 }
      + (first == 0 ? [0] : [])
    return starts.contains { $0 <= version } ? version : starts.min() ?? snapshot.version
  }
}
