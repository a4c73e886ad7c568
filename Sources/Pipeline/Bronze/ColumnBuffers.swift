internal import DeltaLake
internal import Parquet

extension StructType {
  /// Empty buffers for the columns.
  ///
  /// - Parameters:
  ///   - table: its name, for errors.
  ///   - unique: columns of strings that hardly repeat.
  /// - Throws: `TABLE_SCHEMA` for a type that no column of Bronze has.
  func columnBuffers(of table: String, unique: Set<String>) throws -> [ColumnBuffer] {
    func foreign(_ column: String) -> PipelineError {
      PipelineError(
        "TABLE_SCHEMA", .damaged,
        "\(table): \(column) has a type that no column of Bronze has",
        remedy: "another program changed the table's schema: restore the table's log")
    }
    let leaves = try parquetSchema().leaves
    guard leaves.count == fields.count else { throw foreign("a nested column") }
    return try zip(leaves, fields).map { leaf, field in
      switch field.type {
      case .string, .binary:
        ByteArrayColumn(leaf, encoding: unique.contains(field.name) ? .plain : .dictionary)
      case .long, .timestamp: Int64Column(leaf)
      case .integer: Int32Column(leaf)
      case .double: DoubleColumn(leaf)
      case .boolean: BooleanColumn(leaf)
      default: throw foreign("column \(field.name)")
      }
    }
  }
}
