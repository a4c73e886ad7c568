internal import DurableIO
internal import StreamCheckpoint

/// Reads every file of a checkpoint's two logs; what cannot be read is a finding.
struct CheckpointFiles {
  let checkpoint: CheckpointDirectory
  private(set) var findings: [Finding] = []

  init(_ checkpoint: CheckpointDirectory) { self.checkpoint = checkpoint }

  /// Calls `body` for each file of `offsets/`, the oldest first, with its path.
  mutating func forEachOffsets(
    _ body: (Int64, OffsetLogEntry, String) throws -> Void
  ) throws {
    for id in try Self.ids(in: checkpoint.offsetLog.directory) {
      let path = "\(checkpoint.offsetLog.directory)/\(id)"
      attempt(path) { checkpoint in
        // nil: the daemon removed it meanwhile.
        guard let entry = try checkpoint.offsets(id) else { return }
        try body(id, entry, path)
      }
    }
  }

  /// Calls `body` for each file of `commits/`, the oldest first.
  mutating func forEachCommit(_ body: (Int64, CommitLogEntry) -> Void) throws {
    for id in try Self.ids(in: checkpoint.commitLog.directory) {
      attempt("\(checkpoint.commitLog.directory)/\(id)") { checkpoint in
        guard let entry = try checkpoint.commit(id) else { return }
        body(id, entry)
      }
    }
  }

  /// Calls `body`, whose error is a finding about `path`.
  mutating func attempt(_ path: String, _ body: (CheckpointDirectory) throws -> Void) {
    do {
      try body(checkpoint)
    } catch let error as CheckpointError {
      findings.append(.damaged(error))
    } catch {
      findings.append(
        Finding("CHECKPOINT_DAMAGED", path, expected: "a readable file", found: "\(error)"))
    }
  }

  /// The ids that have a file; gaps and odd names are found where the logs are opened.
  static func ids(in directory: String) throws -> [Int64] {
    guard try Files.exists(directory) else { return [] }
    return try Files.list(directory).compactMap(Int64.init).filter { $0 >= 0 }.sorted()
  }
}

extension OffsetLogEntry {
  /// The offset of the query's only source.
  func onlySource(_ kind: String, path: String) throws(CheckpointError) -> String {
    guard sources.count == 1, let text = sources[0] else {
      throw CheckpointError(
        path: path, field: "line 3", expected: "the offsets of one \(kind) source",
        found: "\(sources.count) sources")
    }
    return text
  }
}

extension Finding {
  static func damaged(_ error: CheckpointError) -> Finding {
    Finding(
      "CHECKPOINT_DAMAGED", "\(error.path), \(error.field)", expected: error.expected,
      found: error.found)
  }
}
