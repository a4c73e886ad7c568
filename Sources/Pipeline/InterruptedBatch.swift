internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

extension CheckpointDirectory {
  /// Removes what a batch that was cut off left: temporary files, and data files that no commit
  /// names.
  ///
  /// - Parameters:
  ///   - query: begins the names of its data files.
  ///   - paths: of the query's tables. A table whose creation was interrupted is none yet, and has
  ///     leftovers all the same.
  ///   - tables: those that are there; they move on to their newest version.
  /// - Returns: how many files.
  func removeLeftovers(
    of query: String, at paths: [String], _ tables: [DeltaTable?], _ publisher: Publisher
  ) throws -> Int {
    var count = try sweepTemporaries()
    for path in paths {
      count += try publisher.sweepTemporaries(in: "\(path)/_delta_log").count
    }
    for table in tables.compactMap({ $0 }) {
      count += try table.sweepOrphans(prefix: "\(query)-", sparing: []).count
    }
    return count
  }
}
