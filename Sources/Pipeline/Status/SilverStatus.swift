internal import DeltaLake
internal import DurableIO
internal import StreamCheckpoint

/// What the files say about Silver, read without writing anything.
package struct SilverStatus {
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
    let checkpoint = CheckpointDirectory(
      path: paths.silverCheckpoint, publisher: Publisher(lock: nil))
    let sessionsTable = try DeltaTable.open(path: paths.sessions)
    accounting = try Self.accounting(checkpoint, sessionsTable)
    watermarkMs =
      try accounting.flatMap { try checkpoint.offsets($0.batch)?.batchWatermarkMs } ?? 0
    var rows: [String: Int64] = [:]
    sessions = try sessionsTable.map { table in
      try Self.describe(table) { file in
        rows[(file.partitionValues["is_final"] ?? nil) ?? "", default: 0] += file.rowCount ?? 0
      }
    }
    openSessions = rows["false"] ?? 0
    finalSessions = rows["true"] ?? 0
    events = try DeltaTable.open(path: paths.events).map { try Self.describe($0) { _ in } }
    isBeingRebuilt = try Files.exists(paths.silverRebuild)
  }

  private static func accounting(
    _ checkpoint: CheckpointDirectory, _ table: DeltaTable?
  ) throws -> SilverAccounting? {
    guard let table, let queryID = try checkpoint.queryID(),
      let batch = table.snapshot.transactionVersion(of: queryID)
    else { return nil }
    return try table.commitInfo(ofTransaction: queryID, version: batch)?
      .info.shopmetrics.flatMap(SilverAccounting.init)
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
