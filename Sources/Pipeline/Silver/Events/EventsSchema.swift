internal import DeltaLake
internal import Parquet

/// The columns of `silver.clickstream_events`: one row per unique event.
enum EventsSchema {
  /// All columns of Bronze but `rescued_data`, in the same order, declared ones included.
  static func of(bronze: StructType) -> StructType {
    bronze.without(["rescued_data"])
  }

  /// Empty buffers for the columns of `schema`, stored as in Bronze.
  ///
  /// - Throws: `TABLE_SCHEMA` for a type that no column of Bronze has.
  static func buffers(_ schema: StructType) throws -> [ColumnBuffer] {
    // Ids hardly repeat: a dictionary would only be given up after it had cost its memory.
    try schema.columnBuffers(of: "clickstream_events", unique: ["event_id"])
  }
}
