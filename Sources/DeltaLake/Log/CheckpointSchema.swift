import Parquet

/// The columns of the checkpoints that we write (Delta protocol, "Checkpoint Schema"): what the
/// readers need of a table without the later features.
///
/// Everything is optional but map keys.
enum CheckpointSchema {
  /// The top-level columns, one for each kind of action.
  enum Kind: Int, CaseIterable {
    case transaction, add, remove, metadata, protocolVersions
  }

  static func node(_ kind: Kind) -> SchemaNode {
    switch kind {
    case .transaction:
      .group("txn", [.string("appId"), .int64("version"), .int64("lastUpdated")])
    case .add:
      .group(
        "add",
        [
          .string("path"), .map("partitionValues"), .int64("size"), .int64("modificationTime"),
          .boolean("dataChange"), .string("stats"), .map("tags"),
        ])
    case .remove:
      .group(
        "remove",
        [
          .string("path"), .int64("deletionTimestamp"), .boolean("dataChange"),
          .boolean("extendedFileMetadata"), .map("partitionValues"), .int64("size"),
        ])
    case .metadata:
      .group(
        "metaData",
        [
          .string("id"), .string("name"), .string("description"),
          .group("format", [.string("provider"), .map("options")]), .string("schemaString"),
          .list("partitionColumns", .string("element")), .map("configuration"),
          .int64("createdTime"),
        ])
    case .protocolVersions:
      .group(
        "protocol",
        [
          .int32("minReaderVersion"), .int32("minWriterVersion"),
          .list("readerFeatures", .string("element")),
          .list("writerFeatures", .string("element")),
        ])
    }
  }
}
