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
    let leaves = try schema.parquetSchema().leaves
    guard leaves.count == schema.fields.count else { throw foreignColumn("a nested column") }
    return try zip(leaves, schema.fields).map { leaf, field in
      switch field.type {
      // Ids hardly repeat: a dictionary would only be given up after it had cost its memory.
      case .string where field.name == "event_id": ByteArrayColumn(leaf, encoding: .plain)
      case .string: ByteArrayColumn(leaf)
      case .long, .timestamp: Int64Column(leaf)
      case .integer: Int32Column(leaf)
      case .double: DoubleColumn(leaf)
      case .boolean: BooleanColumn(leaf)
      default: throw foreignColumn("column \(field.name)")
      }
    }
  }

  private static func foreignColumn(_ column: String) -> PipelineError {
    PipelineError(
      "TABLE_SCHEMA", .damaged,
      "clickstream_events: \(column) has a type that no column of Bronze has",
      remedy: "another program changed the table's schema: restore the table's log")
  }
}
