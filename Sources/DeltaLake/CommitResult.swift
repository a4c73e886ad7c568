/// What became of a commit.
///
/// A conflict is an expected outcome, not an error.
public enum CommitResult: Equatable, Sendable {
  /// The commit is durable under this version.
  case committed(version: Int64)
  /// Another writer was there; nothing was committed. `version` is the winner's.
  case conflict(version: Int64, reason: ConflictReason)
}

/// Why another writer's commit stands in the way (Delta protocol, conflict rules of appends).
public enum ConflictReason: Equatable, Sendable {
  /// The version is taken, and the caller did not allow the commit to move.
  case versionTaken
  /// The winner changed the schema or the properties of the table.
  case metadataChanged
  /// The winner changed the protocol.
  case protocolChanged
  /// The winner wrote a transaction of the same application: a second instance of the query runs.
  case transaction(appID: String)
}
