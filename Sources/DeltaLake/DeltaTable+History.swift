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
}
