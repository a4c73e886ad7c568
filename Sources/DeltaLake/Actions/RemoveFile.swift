import JSON

/// A data file that is no longer part of the table: the `remove` action of the Delta protocol.
///
/// It stays in the log as a tombstone until the retention of deleted files has passed.
public struct RemoveFile: Equatable, Sendable {
  /// The same text as the `add` that it takes back.
  public var path: String
  /// When the file left the table, in milliseconds since 1970.
  public var deletionTimestamp: Int64?
  /// False when the rows are still in the table, as after compaction.
  public var dataChange: Bool
  /// True when `partitionValues` and `size` are given.
  public var extendedFileMetadata: Bool?
  public var partitionValues: [String: String?]?
  /// The length of the file in bytes.
  public var size: Int64?

  public init(
    path: String, deletionTimestamp: Int64?, dataChange: Bool, extendedFileMetadata: Bool? = nil,
    partitionValues: [String: String?]? = nil, size: Int64? = nil
  ) {
    self.path = path
    self.deletionTimestamp = deletionTimestamp
    self.dataChange = dataChange
    self.extendedFileMetadata = extendedFileMetadata
    self.partitionValues = partitionValues
    self.size = size
  }

  /// The name of the file below the root of the table (or an absolute path), decoded.
  public var filePath: String { PathEncoding.decode(path) }

  init(_ fields: ActionFields) throws(ActionError) {
    path = try fields.string("path")
    deletionTimestamp = try fields.optionalInteger("deletionTimestamp")
    dataChange = try fields.bool("dataChange")
    extendedFileMetadata = try fields.optionalBool("extendedFileMetadata")
    partitionValues = try fields.optionalMap("partitionValues")
    size = try fields.optionalInteger("size")
  }

  func write(to json: inout JSONWriter) {
    json.field("path", path)
    json.field("deletionTimestamp", ifPresent: deletionTimestamp)
    json.field("dataChange", dataChange)
    json.field("extendedFileMetadata", ifPresent: extendedFileMetadata)
    if let partitionValues { json.field("partitionValues", partitionValues) }
    json.field("size", ifPresent: size)
  }
}
