internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

/// What the files say about Silver, read without writing anything.
package struct SilverStatus {
  package let queryID: String?
  package let observation: RecoveryObservation
  /// What the newest logged batch read Bronze up to, as the JSON of the checkpoint.
  package let newestOffset: String?
  /// The accounting of the newest batch; `nil` before the first one.
  package let accounting: SilverAccounting?
  /// The watermark of the newest batch, in milliseconds since 1970.
  package let watermarkMs: Int64
  package let sessions: Table?
  package let events: Table?
  /// Sessions that may still change without anybody being late, and those that are final.
  package let openSessions: Int64
  package let finalSessions: Int64
  /// Whether a rebuild was begun and not finished.
  package let isBeingRebuilt: Bool

  /// One table as it is now.
  package struct Table: Equatable, Sendable {
    package var path: String
    package var version: Int64
    package var files = 0
    package var bytes: Int64 = 0
    /// Bytes of files that left the table and are kept for readers of older versions.
    package var removedBytes: Int64 = 0
  }

  /// - Throws: `PipelineError` for a file that cannot be read.
  package init(_ configuration: Configuration) throws {
    do {
      try self.init(paths: configuration.paths)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private init(paths: StatePaths) throws {
    let state = try SilverState(paths)
    if let damage = state.damage.first { throw damage }
    let checkpoint = state.checkpoint
    queryID = state.queryID
    observation = state.observation
    newestOffset = try state.observation.offsets.flatMap { id in
      let path = "\(checkpoint.offsetLog.directory)/\(id)"
      guard let text = try checkpoint.offsets(id)?.sources.first ?? nil else { return nil }
      return try DeltaSourceOffset(json: text, path: path).json
    }
    accounting = state.accounting
    watermarkMs =
      try accounting.flatMap { try checkpoint.offsets($0.batch)?.batchWatermarkMs } ?? 0
    var rows: [String: Int64] = [:]
    sessions = try state.sessions.map { table in
      try Self.describe(table) { file in
        rows[(file.partitionValues["is_final"] ?? nil) ?? "", default: 0] += file.rowCount ?? 0
      }
    }
    openSessions = rows["false"] ?? 0
    finalSessions = rows["true"] ?? 0
    events = try state.events.map { try Self.describe($0) { _ in } }
    isBeingRebuilt = try Files.exists(paths.silverRebuild)
  }

  private static func describe(
    _ table: DeltaTable, _ body: (AddFile) -> Void
  ) throws -> Table {
    var found = Table(path: table.path, version: table.snapshot.version)
    for file in try table.liveFiles() {
      found.files += 1
      found.bytes += file.size
      body(file)
    }
    for file in try table.tombstones()
    where try Files.exists("\(table.path)/\(file.filePath)") {
      found.removedBytes += file.size ?? 0
    }
    return found
  }
}
