import DurableIO
import Foundation
import JSON
import Parquet

@testable import DeltaLake

/// A folder for one table that goes away with the test.
final class TemporaryTable {
  let path: String
  let publisher = Publisher(lock: nil)

  init() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("delta-\(RandomUUID.text())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  var logPath: String { path + "/_delta_log" }

  func logFile(_ name: String) -> URL { URL(fileURLWithPath: "\(logPath)/\(name)") }

  func commitFile(_ version: Int64) -> URL { logFile(LogPath.commitName(version)) }

  /// The names in `_delta_log`, sorted.
  func logNames() throws -> [String] { try Files.list(logPath) }

  func overwrite(_ file: URL, _ text: String) throws {
    try Data(text.utf8).write(to: file)
  }

  /// Writes a commit by hand, as another program might.
  func handWrite(version: Int64, _ lines: [String]) throws {
    try FileManager.default.createDirectory(
      atPath: logPath, withIntermediateDirectories: true)
    try overwrite(commitFile(version), lines.map { $0 + "\n" }.joined())
  }

  /// The time of a file, as if it were written then.
  func setTime(_ file: URL, milliseconds: Int64) throws {
    let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: file.path)
  }

  // MARK: Our own table

  /// 2026-01-31T10:00:00Z in milliseconds.
  static let now: Int64 = 1_769_853_600_000

  static let schema = StructType([
    StructField("name", .string, comment: "who"), StructField("number", .long),
    StructField("small", .integer), StructField("at", .timestamp), StructField("day", .date),
    StructField("flag", .boolean), StructField("ratio", .double), StructField("raw", .binary),
  ])

  static func metadata(
    schema: StructType = schema, partitionColumns: [String] = [],
    configuration: [String: String] = [:]
  ) -> TableMetadata {
    TableMetadata(
      id: RandomUUID.text(), name: "test", schemaString: schema.schemaString,
      partitionColumns: partitionColumns, configuration: configuration, createdTime: now)
  }

  static func info(_ operation: String = "STREAMING UPDATE", append: Bool = true) -> CommitInfo {
    CommitInfo(
      timestamp: now, operation: operation, operationParameters: ["outputMode": "Append"],
      isBlindAppend: append, operationMetrics: ["numAddedFiles": "1"], engineInfo: "test/1")
  }

  func create(_ metadata: TableMetadata = metadata()) throws -> DeltaTable {
    try DeltaTable.create(
      path: path, metadata: metadata, info: Self.info("CREATE TABLE"), publisher: publisher,
      commitRole: .tableCommit)
  }

  /// Writes rows to data files that no commit names yet.
  func stage(
    _ rows: [TestRow], of table: DeltaTable, prefix: String = "part",
    partition: [(column: String, value: String?)] = []
  ) throws -> [AddFile] {
    let writer = DataFileWriter(
      DataFileWriter.Target(
        tablePath: path, schema: table.snapshot.schema, options: WriterOptions(),
        fileBytes: 1 << 20),
      publisher: publisher, role: .tableData, namePrefix: prefix, partition: partition)
    let columns = table.snapshot.schema.without(partition.map(\.column))
    try writer.writeRowGroup(try TestRow.columns(rows, columns))
    return try writer.finish()
  }

  @discardableResult
  func append(
    _ rows: [TestRow], to table: DeltaTable, app: String = "query", batch: Int64? = nil
  ) throws -> CommitResult {
    let files = try stage(rows, of: table)
    let transaction = batch.map {
      [Action.transaction(SetTransaction(appID: app, version: $0, lastUpdated: Self.now))]
    }
    return try table.commitAppend(
      (transaction ?? []) + files.map(Action.add), info: Self.info(), publisher: publisher,
      role: .tableCommit)
  }

  /// A table with `versions` commits after its creation, one row each.
  func filled(versions: Int64) throws -> DeltaTable {
    let table = try create()
    for batch in 0..<versions {
      try append([TestRow(number: batch)], to: table, batch: batch)
    }
    return table
  }

  func reopened() throws -> DeltaTable {
    guard let table = try DeltaTable.open(path: path) else {
      throw NoTable()
    }
    return table
  }

  struct NoTable: Error {}
}
