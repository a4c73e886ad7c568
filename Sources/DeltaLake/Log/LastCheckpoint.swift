import DurableIO
import JSON

/// `_last_checkpoint`: where readers may start to look (Delta protocol, "Last Checkpoint File").
///
/// It is a hint. We list the log instead of following it, but other readers stop when it names a
/// checkpoint that is not there, so a wrong one is worth a warning, and the next checkpoint
/// replaces it.
struct LastCheckpoint: Equatable {
  let version: Int64
  /// The number of actions in the checkpoint.
  let size: Int64

  init(version: Int64, size: Int64) {
    self.version = version
    self.size = size
  }

  init?(_ bytes: [UInt8]) {
    guard let value = try? JSONValue.parse(bytes), let object = value.objectValue,
      let version = object.int64("version")
    else { return nil }
    self.init(version: version, size: object.int64("size") ?? 0)
  }

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    json.field("version", version)
    json.field("size", size)
    json.endObject()
    return json.bytes
  }
}

extension LogDirectory {
  /// What is wrong with the hint; nil when it is right or absent.
  func hintWarning(_ listing: LogListing) throws -> String? {
    guard let bytes = try Files.readIfPresent(path(of: LogPath.lastCheckpointName)) else {
      return nil
    }
    guard let hint = LastCheckpoint(bytes) else {
      return "_delta_log/_last_checkpoint is not a hint: expected an object with a version"
    }
    let known = listing.checkpoints.map(\.version) + listing.namedCheckpoints
    guard !known.contains(hint.version) else { return nil }
    return "_delta_log/_last_checkpoint names version \(hint.version), which has no checkpoint; "
      + "other readers may refuse the table until the next checkpoint"
  }
}
