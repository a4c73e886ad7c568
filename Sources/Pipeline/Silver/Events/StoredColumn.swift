internal import DeltaLake
internal import Parquet

/// A column of one row group, by row.
struct StoredColumn {
  enum Values {
    /// The file is older than the column.
    case absent
    case int64([Int64])
    case int32([Int32])
    case double([Double])
    case boolean([Bool])
    case bytes(ByteArrayValues)
  }

  let values: Values
  /// Where a row's value is in `values`, -1 for null; empty when no row is null.
  private let places: [Int32]

  /// Decodes the column of the table's `field` from one row group.
  ///
  /// - Throws: `ParquetError`; `TABLE_DAMAGED` when the file stores another type.
  init(_ field: StructField, in reader: FileReader, rowGroup: Int, file: String) throws {
    guard let leaf = reader.leaf(ofColumn: field.name) else {
      values = .absent
      places = []
      return
    }
    let column = try reader.readColumn(rowGroup: rowGroup, leaf: leaf)
    let meaning = reader.schema.leaves[leaf].logicalType
    guard let values = Self.values(column.values, meaning, field.type) else {
      throw PipelineError(
        "TABLE_DAMAGED", .damaged,
        "\(file), row group \(rowGroup), column \(field.name): expected values of the table's "
          + "type, found \(reader.schema.leaves[leaf].physicalType) as \(meaning)",
        remedy: "another program wrote this file: restore the table, or run "
          + "`shopmetricsctl silver rebuild`")
    }
    self.values = values
    places = Self.places(column)
  }

  private static func values(
    _ stored: ColumnValues.Storage, _ meaning: LogicalType, _ type: DataType
  ) -> Values? {
    switch (type, stored, meaning) {
    case (.timestamp, .int64(let values), .timestampMicros), (.long, .int64(let values), .none),
      (.long, .int64(let values), .integer(_, signed: true)):
      .int64(values)
    case (.timestamp, .timestampFromInt96(let values), _): .int64(values)
    case (.integer, .int32(let values), .none),
      (.integer, .int32(let values), .integer(_, signed: true)):
      .int32(values)
    case (.double, .double(let values), _): .double(values)
    case (.boolean, .boolean(let values), _): .boolean(values)
    case (.string, .byteArray(let values), _): .bytes(values)
    default: nil
    }
  }

  private static func places(_ column: ColumnValues) -> [Int32] {
    guard column.entryCount > column.values.count else { return [] }
    var next: Int32 = 0
    return column.definitionLevels.map { level in
      guard level == column.maxDefinitionLevel else { return -1 }
      defer { next += 1 }
      return next
    }
  }

  /// Where the row's value is in `values`; nil for null.
  @inline(__always)
  func place(_ row: Int) -> Int? {
    if places.isEmpty {
      if case .absent = values { return nil }
      return row
    }
    let place = places[row]
    return place < 0 ? nil : Int(place)
  }

  func integer(_ row: Int) -> Int64? {
    guard let place = place(row) else { return nil }
    return switch values {
    case .int64(let values): values[place]
    case .int32(let values): Int64(values[place])
    default: nil
    }
  }

  /// Lends the row's bytes; nil without a call for null.
  @inline(__always)
  func withBytes<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result? {
    guard case .bytes(let values) = values, let place = place(row) else { return nil }
    return try values.withBytes(place, body)
  }
}
