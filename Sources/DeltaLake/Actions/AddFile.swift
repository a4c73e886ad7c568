import JSON

/// A data file that is part of the table: the `add` action of the Delta protocol.
public struct AddFile: Equatable, Sendable {
  /// Relative to the root of the table, percent-encoded; `filePath` is the name on disk.
  public var path: String
  /// The values of the partition columns, as text; nil is null.
  public var partitionValues: [String: String?]
  /// The exact length of the file in bytes.
  public var size: Int64
  /// When the file was written, in milliseconds since 1970.
  public var modificationTime: Int64
  /// False when the rows were in the table before, as after compaction.
  public var dataChange: Bool
  /// The statistics of the file, as JSON text; nil when the writer gave none.
  public var stats: String?
  /// What other writers noted about the file.
  public var tags: [String: String]?

  public init(
    path: String, partitionValues: [String: String?] = [:], size: Int64, modificationTime: Int64,
    dataChange: Bool = true, stats: String? = nil, tags: [String: String]? = nil
  ) {
    self.path = path
    self.partitionValues = partitionValues
    self.size = size
    self.modificationTime = modificationTime
    self.dataChange = dataChange
    self.stats = stats
    self.tags = tags
  }

  /// The name of the file below the root of the table (or an absolute path), decoded.
  public var filePath: String { PathEncoding.decode(path) }

  /// The number of rows that the statistics state; nil when they state none.
  public var rowCount: Int64? {
    guard let stats, let value = try? JSONValue.parse(stats) else { return nil }
    return value.objectValue?.int64("numRecords")
  }

  /// The `remove` that takes this file out of the table.
  public func removal(at timestamp: Int64, dataChange: Bool) -> RemoveFile {
    RemoveFile(
      path: path, deletionTimestamp: timestamp, dataChange: dataChange, extendedFileMetadata: true,
      partitionValues: partitionValues, size: size)
  }

  init(_ fields: ActionFields) throws(ActionError) {
    path = try fields.string("path")
    guard !path.isEmpty else { throw ActionError("add.path: expected a file, found \"\"") }
    partitionValues = try fields.optionalMap("partitionValues") ?? [:]
    size = try fields.size("size")
    modificationTime = try fields.integer("modificationTime")
    dataChange = try fields.bool("dataChange")
    stats = try fields.optionalString("stats")
    tags = try fields.optionalTextMap("tags")
    guard try fields.optionalObject("deletionVector") == nil else {
      throw ActionError("add.deletionVector: deletion vectors are not supported")
    }
  }

  func write(to json: inout JSONWriter) {
    json.field("path", path)
    json.field("partitionValues", partitionValues)
    json.field("size", size)
    json.field("modificationTime", modificationTime)
    json.field("dataChange", dataChange)
    json.field("stats", ifPresent: stats)
    if let tags { json.field("tags", tags) }
  }
}
