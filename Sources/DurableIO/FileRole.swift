/// What a durable file is for: names the crash points and speaks in error texts.
package enum FileRole: String, CaseIterable, Sendable {
  case bronzeData, deadLetterData, bronzeCommit, deadLetterCommit
  case sessionsData, eventsData, sessionsCommit, eventsCommit, rebuildIntent
  case tableData, tableCommit
  case streamMetadata, initialOffsets, offsets, commits, checkpointFolder
  case deltaCheckpoint, lastCheckpoint
}

/// How a staged file gets its name.
package enum PublishMode: Sendable {
  /// By link(2): fails, as a result, when the name is taken.
  case ifAbsent
  /// By rename(2): takes the place of an older file.
  case replace
}

/// What publishing did.
package enum PublishOutcome: Equatable, Sendable {
  case published
  /// Only for `.ifAbsent`: somebody else's file has the name, nothing was changed.
  case alreadyExists
}
