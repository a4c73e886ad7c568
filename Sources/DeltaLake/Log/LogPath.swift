/// A file of `_delta_log`, known by its name (Delta protocol, "File Types").
///
/// Names are parsed here and nowhere else. What is not a name of the protocol is `other`:
/// staged files of any writer, editor backups, folders.
public enum LogPath: Equatable, Sendable {
  case commit(version: Int64)
  case checkpoint(version: Int64)
  /// One part of a checkpoint in several files; parts are numbered from 1.
  case checkpointPart(version: Int64, part: Int64, of: Int64)
  /// A checkpoint named by a UUID, of the table feature `v2Checkpoint`.
  case namedCheckpoint(version: Int64)
  /// Spark's checksum of a version.
  case versionChecksum(version: Int64)
  /// Several commits in one file, written beside them.
  case compactedCommits(from: Int64, through: Int64)
  case lastCheckpoint
  case other

  public init(name: String) {
    if name == Self.lastCheckpointName {
      self = .lastCheckpoint
      return
    }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let version = parts.first.flatMap({ Self.number($0, digits: 20) }) else {
      self = .other
      return
    }
    self = Self.parse(version, Array(parts.dropFirst())) ?? .other
  }

  private static func parse(_ version: Int64, _ rest: [Substring]) -> LogPath? {
    switch rest {
    case ["json"]: return .commit(version: version)
    case ["crc"]: return .versionChecksum(version: version)
    case ["checkpoint", "parquet"]: return .checkpoint(version: version)
    default: break
    }
    if rest.count == 3, rest[1] == "compacted", rest[2] == "json" {
      return number(rest[0], digits: 20).map { .compactedCommits(from: version, through: $0) }
    }
    guard rest.first == "checkpoint" else { return nil }
    if rest.count == 4, rest[3] == "parquet", let part = number(rest[1], digits: 10),
      let count = number(rest[2], digits: 10), part >= 1, part <= count
    {
      return .checkpointPart(version: version, part: part, of: count)
    }
    if rest.count == 3, rest[2] == "json" || rest[2] == "parquet" {
      return .namedCheckpoint(version: version)
    }
    return nil
  }

  private static func number(_ text: Substring, digits: Int) -> Int64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    // The last one is left out, so that every version has a successor.
    return Int64(text).flatMap { $0 < .max ? $0 : nil }
  }

  static let lastCheckpointName = "_last_checkpoint"

  /// The name of a commit: `00000000000000000012.json`.
  static func commitName(_ version: Int64) -> String { padded(version, to: 20) + ".json" }

  /// The name of a whole checkpoint: `00000000000000000012.checkpoint.parquet`.
  static func checkpointName(_ version: Int64) -> String {
    padded(version, to: 20) + ".checkpoint.parquet"
  }

  static func checkpointPartName(_ version: Int64, part: Int64, of count: Int64) -> String {
    "\(padded(version, to: 20)).checkpoint.\(padded(part, to: 10)).\(padded(count, to: 10)).parquet"
  }

  private static func padded(_ number: Int64, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
