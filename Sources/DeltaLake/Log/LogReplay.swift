/// Turns the files of a log into the state of a table (Delta protocol, "Action Reconciliation").
///
/// Commits are read one at a time and checkpoints by columns, so the state costs memory for the
/// transactions only. The files of the table are handed out one by one and never kept together,
/// except for those that commits after the checkpoint name.
struct LogReplay {
  let log: LogDirectory
  let segment: LogSegment

  /// Version, protocol, metadata and transactions; files are passed over.
  func state() throws -> TableState {
    var state = TableState()
    if let checkpoint = segment.checkpoint {
      state = try CheckpointReader(log: log, files: checkpoint).state()
    }
    for version in segment.commits.map(Array.init) ?? [] {
      state.apply(try actions(of: version), version: version)
    }
    return state
  }

  /// Calls `body` for every file of the table: those of the checkpoint first, then those that
  /// later commits added, in their order.
  func forEachLiveFile(_ body: (AddFile) throws -> Void) throws {
    let later = try laterFiles()
    if let checkpoint = segment.checkpoint {
      try CheckpointReader(log: log, files: checkpoint).forEachAdd { file in
        if later[file.filePath] == nil { try body(file) }
      }
    }
    for case .add(let file) in ordered(later) { try body(file) }
  }

  /// Calls `body` for every tombstone, in the same order.
  func forEachTombstone(_ body: (RemoveFile) throws -> Void) throws {
    let later = try laterFiles()
    if let checkpoint = segment.checkpoint {
      try CheckpointReader(log: log, files: checkpoint).forEachRemove { file in
        if later[file.filePath] == nil { try body(file) }
      }
    }
    for case .remove(let file) in ordered(later) { try body(file) }
  }

  /// The newest action for each file that commits after the checkpoint name, with its place.
  private func laterFiles() throws -> [String: (place: Int, action: Action)] {
    var files: [String: (place: Int, action: Action)] = [:]
    var place = 0
    for version in segment.commits.map(Array.init) ?? [] {
      for action in try actions(of: version) {
        switch action {
        case .add(let file): files[file.filePath] = (place, action)
        case .remove(let file): files[file.filePath] = (place, action)
        default: break
        }
        place += 1
      }
    }
    return files
  }

  private func ordered(_ files: [String: (place: Int, action: Action)]) -> [Action] {
    files.values.sorted { $0.place < $1.place }.map(\.action)
  }

  private func actions(of version: Int64) throws -> [Action] {
    guard let actions = try log.commit(version) else {
      throw DeltaError(
        .gapInLog, table: log.table, version: version,
        "expected _delta_log/\(LogPath.commitName(version)), found nothing",
        hint: "Nothing was written. Restore the missing file from a copy of the table.")
    }
    return actions
  }
}

extension LogDirectory {
  /// Reads a log from its newest checkpoint, or from an older one, or from its first commit when
  /// checkpoints are damaged and the commits that they replace are still there.
  ///
  /// - Parameter warn: called with the damage that was worked around.
  /// - Throws: the damage when there is no other way.
  func withReplay<Result>(
    of listing: LogListing, warn: (String) -> Void, _ body: (LogReplay) throws -> Result
  ) throws -> Result {
    guard let newest = listing.newest else { preconditionFailure("a listing without versions") }
    var damage: DeltaError?
    for checkpoint in listing.candidates() {
      if let missing = listing.gap(after: checkpoint) {
        throw damage ?? gap(missing, in: listing)
      }
      let replay = LogReplay(
        log: self, segment: LogSegment(checkpoint: checkpoint, version: newest))
      do {
        return try body(replay)
      } catch let error as DeltaError where error.code == .damagedCheckpoint {
        if damage == nil { damage = error }
        warn("\(error.message); read the commits instead")
      }
    }
    preconditionFailure("reading without a checkpoint does not report a damaged one")
  }
}
