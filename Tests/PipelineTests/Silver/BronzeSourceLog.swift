import DeltaLake
import Foundation
import StreamCheckpoint

@testable import Pipeline

/// A Bronze table that is only a log, written by hand: files are planned by what the log says.
final class BronzeSourceLog {
  let path: String
  let id: String

  /// The table is there with version 0; `lines` stand behind its protocol and metadata.
  init(id: String = "4cd3a39d-2332-4af7-b306-ec1897a2c95f", _ lines: [String] = []) throws {
    path =
      FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/bronze-"
      + UUID().uuidString
    self.id = id
    try FileManager.default.createDirectory(
      atPath: path + "/_delta_log", withIntermediateDirectories: true)
    try write(0, [Self.protocolVersions, metadata()] + lines)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func commitPath(_ version: Int64) -> String {
    let digits = String(version)
    return "\(path)/_delta_log/" + String(repeating: "0", count: 20 - digits.count) + digits
      + ".json"
  }

  func write(_ version: Int64, _ lines: [String]) throws {
    try Data(lines.map { $0 + "\n" }.joined().utf8)
      .write(to: URL(fileURLWithPath: commitPath(version)))
  }

  func removeCommit(_ version: Int64) throws {
    try FileManager.default.removeItem(atPath: commitPath(version))
  }

  static let protocolVersions = #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#

  func metadata(
    _ fields: [StructField] = BronzeSchema.raw.fields, id: String? = nil,
    partitionColumns: [String] = []
  ) -> String {
    Action.metadata(
      TableMetadata(
        id: id ?? self.id, name: "clickstream_raw",
        schemaString: StructType(fields).schemaString, partitionColumns: partitionColumns,
        configuration: [:], createdTime: 0)
    ).line
  }

  /// - Parameter rows: nil for a file without statistics.
  static func add(
    _ name: String, rows: Int64? = 1, bytes: Int64 = 10, time: Int64 = 0, dataChange: Bool = true
  ) -> String {
    Action.add(
      AddFile(
        path: name, size: bytes, modificationTime: time, dataChange: dataChange,
        stats: rows.map { "{\"numRecords\":\($0)}" })
    ).line
  }

  static func remove(_ name: String, dataChange: Bool) -> String {
    Action.remove(RemoveFile(path: name, deletionTimestamp: 0, dataChange: dataChange)).line
  }

  /// A commit that changes no rows, as `SET TBLPROPERTIES` or a query without good records.
  static let noData = [#"{"txn":{"appId":"other","version":1}}"#]

  func source() throws -> BronzeSource {
    let source = BronzeSource(path: path, log: .silent)
    _ = try source.refresh()
    return source
  }

  func offset(_ version: Int64, _ index: Int64 = -1, starting: Bool = false) -> DeltaSourceOffset {
    DeltaSourceOffset(
      reservoirID: id, version: version, index: index, isStartingVersion: starting)
  }
}

extension BronzeSource {
  /// All batches from an offset to the end, each with the names of its files.
  func batches(
    from first: DeltaSourceOffset, maxRows: Int64, maxBytes: Int64 = .max
  ) throws -> [(end: DeltaSourceOffset, names: [String])] {
    var batches: [(end: DeltaSourceOffset, names: [String])] = []
    var start = first
    let end = try endOffset()
    while let plan = try plan(from: start, upTo: end, maxRows: maxRows, maxBytes: maxBytes) {
      batches.append((plan.end, plan.files.map(\.add.path)))
      start = plan.end
    }
    return batches
  }
}
