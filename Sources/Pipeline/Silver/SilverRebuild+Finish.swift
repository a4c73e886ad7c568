internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

/// The file that says that the new tables are complete.
struct RebuildIntent: Equatable {
  static let name = "intent"

  /// The new query and its newest batch.
  let queryID: String
  let batch: Int64
  /// The Bronze version that the new tables hold everything before.
  let bronzeVersion: Int64

  init(queryID: String, batch: Int64, bronzeVersion: Int64) {
    self.queryID = queryID
    self.batch = batch
    self.bronzeVersion = bronzeVersion
  }

  var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("queryId", queryID)
    writer.field("batch", batch)
    writer.field("bronzeVersion", bronzeVersion)
    writer.endObject()
    return Array(writer.text.utf8)
  }

  init(bytes: [UInt8], path: String) throws {
    guard let object = try? JSONValue.parse(bytes).objectValue,
      let queryID = object.string("queryId"), let batch = object.int64("batch"),
      let bronzeVersion = object.int64("bronzeVersion")
    else {
      throw PipelineError(
        "REBUILD_DAMAGED", .damaged, "\(path): expected the intent of a rebuild, found other text",
        remedy: "remove that folder and run \(SilverRebuild.command) again")
    }
    self.init(queryID: queryID, batch: batch, bronzeVersion: bronzeVersion)
  }
}

extension SilverRebuild {
  /// Finishes a switch whose commit point was passed.
  ///
  /// - Returns: false when there is none; a rebuild that has not come so far is left alone.
  /// - Throws: `PipelineError`; the next call goes on.
  package func finishSwitch() throws -> Bool {
    guard let intent = try intent() else { return false }
    // As in every recovery: what was named and not synced must not be built on.
    try publisher.settle(
      [root, "\(live.sessions)/_delta_log", "\(live.events)/_delta_log"],
      below: configuration.paths.stateDirectory)
    guard let sessions = try DeltaTable.open(path: live.sessions),
      sessions.snapshot.transactionVersion(of: intent.queryID) == intent.batch
    else { return false }
    try finishEvents(intent, sessions)
    try moveCheckpoint()
    try removeAll()
    log.notice(
      "silver rebuild: the new tables are in place (everything before Bronze version "
        + "\(intent.bronzeVersion))")
    return true
  }

  private func finishEvents(_ intent: RebuildIntent, _ sessions: DeltaTable) throws {
    guard let events = try DeltaTable.open(path: live.events),
      let commit = try sessions.commitInfo(ofTransaction: intent.queryID, version: intent.batch),
      let second = commit.info.shopmetrics.flatMap(SilverAccounting.init)?.second
    else {
      throw PipelineError(
        "REBUILD_DAMAGED", .damaged,
        "\(live.sessions): the commit of the rebuild does not say what \(live.events) becomes",
        remedy: "restore _delta_log of both tables from copies of the same moment")
    }
    guard events.snapshot.transactionVersion(of: intent.queryID) != intent.batch else { return }
    let carried = try second.actions.map { try Action($0) }
    try CarriedCommit(actions: adapted(carried, to: events), batch: intent.batch)
      .apply(to: events, publisher: publisher, role: .eventsCommit)
  }

  /// The carried actions, as they are unless another program has changed the table since: whatever
  /// it holds by now is replaced.
  private func adapted(_ carried: [Action], to table: DeltaTable) throws -> [Action] {
    var others: [String: AddFile] = [:]
    for file in try table.liveFiles() { others[file.path] = file }
    let still = carried.filter { action in
      guard case .remove(let file) = action else { return true }
      return others.removeValue(forKey: file.path) != nil
    }
    let now = wallClockMilliseconds()
    let added = others.values.sorted { $0.path < $1.path }
    return still + added.map { Action.remove($0.removal(at: now, dataChange: true)) }
  }

  /// The new query's checkpoint takes the old one's place; two renames, each of them done once.
  private func moveCheckpoint() throws {
    guard try Files.exists(fresh.checkpoint) else { return }
    let old = "\(root)/old-checkpoint"
    if try Files.exists(live.checkpoint) {
      try publisher.moveDirectory(live.checkpoint, to: old, role: .rebuildIntent)
    }
    try Files.makeDirectories(configuration.paths.checkpoints)
    try publisher.moveDirectory(fresh.checkpoint, to: live.checkpoint, role: .rebuildIntent)
  }

  /// Removes the rebuild's folder, the intent last: while it is there, the rest is known for what
  /// it is.
  func removeAll() throws {
    for name in try Files.exists(root) ? Files.list(root) : [] where name != RebuildIntent.name {
      try publisher.removeTree("\(root)/\(name)")
    }
    try publisher.removeTree(root)
  }
}
