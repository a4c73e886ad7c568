internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

extension CheckpointDirectory {
  /// Removes what a batch that was cut off left: temporary files, and data files that no commit
  /// names.
  ///
  /// - Parameters:
  ///   - queries: begin the names of their data files.
  ///   - paths: of the queries' tables. A table whose creation was interrupted is none yet, and has
  ///     leftovers all the same.
  ///   - tables: those that are there; they move on to their newest version.
  /// - Returns: how many files.
  func removeLeftovers(
    of queries: [String], at paths: [String], _ tables: [DeltaTable?], _ publisher: Publisher
  ) throws -> Int {
    var count = try sweepTemporaries()
    for path in paths {
      count += try publisher.sweepTemporaries(in: "\(path)/_delta_log").count
    }
    for table in tables.compactMap({ $0 }) {
      for query in queries {
        count += try table.sweepOrphans(prefix: "\(query)-", sparing: []).count
      }
    }
    return count
  }

  /// Removes the files of old batches once `offsets/newest` is durable.
  ///
  /// - Throws: only where it is unknown what is on disk.
  func purge(newest: Int64, log: Log) throws {
    try log.attempting("removal of old batches", at: path) { try purge(newest: newest) }
  }

  /// Makes durable what the recovery is about to read: a process that was killed between giving a
  /// file its name and syncing the directory left names that a power cut takes back, and what is
  /// built on them would stay.
  ///
  /// - Parameters:
  ///   - paths: of the query's tables.
  ///   - root: the state directory.
  func settle(
    _ paths: [String], below root: String, _ publisher: Publisher
  ) throws(SystemError) {
    let folders = [offsetLog.directory, commitLog.directory, "\(path)/sources/0"]
    try publisher.settle(folders + paths.map { "\($0)/_delta_log" }, below: root)
  }
}

extension Publisher {
  /// The publisher of a query, which tells the log what it could not clean up.
  convenience init(lock: InstanceLock, log: Log) {
    self.init(lock: lock) { error in
      log.warning("a temporary file stays until the next recovery, which is no harm: \(error)")
    }
  }
}

extension Log {
  /// Tells how many leftovers were removed, if any.
  ///
  /// - Parameter prefix: begins the line, for a query that is not the first.
  func noteLeftovers(_ count: Int, prefix: String = "") {
    guard count > 0 else { return }
    notice(
      "\(prefix)removed \(count) files of an interrupted batch", [("code", "LEFTOVERS_REMOVED")])
  }
}
