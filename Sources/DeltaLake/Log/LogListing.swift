/// A checkpoint of which every file is there.
struct CheckpointFiles: Equatable {
  let version: Int64
  /// One name, or the names of all parts in order.
  let names: [String]
}

/// What `_delta_log` holds, by one listing of its names.
struct LogListing {
  /// The versions that have a commit file, ascending.
  private(set) var commits: [Int64] = []
  /// The complete checkpoints, ascending by version.
  private(set) var checkpoints: [CheckpointFiles] = []
  /// Checkpoints of the feature `v2Checkpoint`, which this reader does not do.
  private(set) var namedCheckpoints: [Int64] = []

  /// - Parameter limit: versions after it are passed over.
  init(names: [String], upTo limit: Int64 = .max) {
    var single: Set<Int64> = []
    var parts: [MultiPart: Set<Int64>] = [:]
    for name in names {
      switch LogPath(name: name) {
      case .commit(let version) where version <= limit: commits.append(version)
      case .checkpoint(let version) where version <= limit: single.insert(version)
      case .checkpointPart(let version, let part, let count) where version <= limit:
        parts[MultiPart(version: version, count: count), default: []].insert(part)
      case .namedCheckpoint(let version) where version <= limit: namedCheckpoints.append(version)
      default: break
      }
    }
    commits.sort()
    checkpoints = single.map {
      CheckpointFiles(version: $0, names: [LogPath.checkpointName($0)])
    }
    for (key, found) in parts where found.count == key.count && !single.contains(key.version) {
      checkpoints.append(key.files)
    }
    checkpoints.sort { $0.version < $1.version }
  }

  private struct MultiPart: Hashable {
    let version: Int64
    let count: Int64

    var files: CheckpointFiles {
      CheckpointFiles(
        version: version,
        names: (1...count).map { LogPath.checkpointPartName(version, part: $0, of: count) })
    }
  }

  /// The newest version that the listing knows; nil for a log without versions.
  var newest: Int64? {
    [commits.last, checkpoints.last?.version].compactMap { $0 }.max()
  }

  /// The ways to read the newest version, best first: from each checkpoint, newest first, and at
  /// last from version 0.
  ///
  /// Later ones serve when a checkpoint turns out to be damaged.
  func candidates() -> [CheckpointFiles?] { checkpoints.reversed() + [nil] }

  /// The first version after `checkpoint` that has no commit although a later version exists.
  func gap(after checkpoint: CheckpointFiles?) -> Int64? {
    guard let newest else { return nil }
    var expected = (checkpoint?.version ?? -1) + 1
    for version in commits where version >= expected {
      guard version == expected else { return expected }
      expected += 1
    }
    return expected <= newest ? expected : nil
  }
}

/// What must be read for one version of a table: a checkpoint and the commits after it.
struct LogSegment {
  /// nil when the log is read from version 0.
  let checkpoint: CheckpointFiles?
  /// The version that the segment leads to.
  let version: Int64

  /// The versions whose commits follow the checkpoint.
  var commits: ClosedRange<Int64>? {
    let first = (checkpoint?.version ?? -1) + 1
    return first <= version ? first...version : nil
  }
}
