/// Where a Silver query keeps its tables and its checkpoint.
///
/// The live query and a rebuild are the same query in different places.
package struct SilverPaths: Equatable, Sendable {
  package var sessions: String
  package var events: String
  package var checkpoint: String

  /// What readers open.
  package static func live(_ paths: StatePaths) -> SilverPaths {
    SilverPaths(
      sessions: paths.sessions, events: paths.events, checkpoint: paths.silverCheckpoint)
  }

  /// Where a rebuild works until it takes the live tables' place.
  package static func rebuild(_ paths: StatePaths) -> SilverPaths {
    let root = paths.silverRebuild
    return SilverPaths(
      sessions: "\(root)/clickstream_sessions", events: "\(root)/clickstream_events",
      checkpoint: "\(root)/checkpoint")
  }
}
