import DurableIO

/// `_delta_log` of one table: where its files are and how they are read.
struct LogDirectory {
  let table: String

  var path: String { table + "/_delta_log" }

  func path(of name: String) -> String { "\(path)/\(name)" }

  /// All names, or nil when the folder is not there.
  func names() throws -> [String]? {
    guard try Files.exists(path) else { return nil }
    return try Files.list(path)
  }

  /// The actions of one version; nil when it has no commit file.
  func commit(_ version: Int64) throws -> [Action]? {
    guard let bytes = try Files.readIfPresent(path(of: LogPath.commitName(version))) else {
      return nil
    }
    return try CommitFile.parse(bytes, table: table, version: version)
  }

  func status(ofCommit version: Int64) throws -> FileStatus? {
    try Files.status(path(of: LogPath.commitName(version)))
  }

  /// Lists the log until it is whole.
  ///
  /// A listing is not one instant: a version that another writer adds meanwhile may be seen without
  /// the one before it. So a gap counts only when a second listing shows it too.
  ///
  /// - Throws: `DeltaError.Code.gapInLog` naming the version that is missing.
  func listing(upTo limit: Int64 = .max) throws -> LogListing? {
    for isLast in [false, true] {
      guard let names = try names() else { return nil }
      let listing = LogListing(names: names, upTo: limit)
      guard listing.newest != nil else { return nil }
      guard let missing = listing.gap(after: listing.checkpoints.last) else { return listing }
      if isLast { throw gap(missing, in: listing) }
    }
    return nil
  }

  func gap(_ missing: Int64, in listing: LogListing) -> DeltaError {
    let found = listing.commits.first { $0 > missing } ?? listing.newest ?? missing
    let named = listing.namedCheckpoints.last.map {
      " (the checkpoint at version \($0) is of the feature v2Checkpoint, which is not supported)"
    }
    return DeltaError(
      .gapInLog, table: table, version: missing,
      "expected _delta_log/\(LogPath.commitName(missing)), found version \(found) without it"
        + (named ?? ""),
      hint: "Nothing was written. Restore the missing file from a copy of the table.")
  }
}
