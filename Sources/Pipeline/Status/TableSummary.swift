internal import DeltaLake
internal import DurableIO

/// One table as it is now, for people and programs that want to read it.
package struct TableSummary: Equatable, Sendable {
  package let name: String
  package let path: String
  package let version: Int64
  package private(set) var files = 0
  package private(set) var bytes: Int64 = 0
  /// As the log states it; `nil` when it does not for all files.
  package private(set) var rows: Int64? = 0
  /// Bytes of files that left the table and are kept for readers of older versions.
  package private(set) var removedBytes: Int64 = 0
  /// The oldest version that such a reader can still have.
  package let oldestVersion: Int64

  /// All tables of a state directory that are there, Bronze first; writes nothing.
  ///
  /// - Throws: `PipelineError` when a log is damaged or cannot be read.
  package static func all(_ paths: StatePaths) throws -> [TableSummary] {
    do {
      return try [paths.bronze, paths.deadLetter, paths.sessions, paths.events].compactMap {
        try DeltaTable.open(path: $0).map(TableSummary.init)
      }
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private init(_ table: DeltaTable) throws {
    name = table.path.split(separator: "/").suffix(2).joined(separator: ".")
    path = table.path
    version = table.snapshot.version
    oldestVersion = try table.oldestReadableVersion()
    for file in try table.liveFiles() {
      files += 1
      bytes = bytes.clampedAdding(file.size)
      rows = file.rowCount.flatMap { rows?.clampedAdding($0) }
    }
    for file in try table.tombstones() {
      // Some writers do not say the size.
      guard let found = try Files.status("\(path)/\(file.filePath)") else { continue }
      removedBytes = removedBytes.clampedAdding(file.size ?? found.size)
    }
  }

  /// A line for the shell that queries the table.
  package var duckDB: String { "duckdb -c \"FROM delta_scan('file://\(path)')\"" }
}
