internal import DeltaLake
internal import Parquet

/// A column of one row group, by row.
///
/// Of the lists of values only the one of the column's type is filled; a class, so that reading a
/// row copies none of them.
final class StoredColumn {
  /// Timestamps in microseconds since 1970; integers of 32 bits, too.
  private(set) var integers: [Int64] = []
  private(set) var doubles: [Double] = []
  private(set) var booleans: [Bool] = []
  private(set) var texts: ByteArrayValues?
  /// Where a row's value is in its list, -1 for null; empty when no row is null.
  private let places: [Int32]
  /// The file is older than the column.
  private let isAbsent: Bool

  /// Decodes the column of the table's `field` from one row group.
  ///
  /// - Throws: `ParquetError`; `TABLE_DAMAGED` when the file stores another type.
  init(_ field: StructField, in reader: FileReader, rowGroup: Int, file: String) throws {
    guard let leaf = reader.leaf(ofColumn: field.name) else {
      places = []
      isAbsent = true
      return
    }
    let column = try reader.readColumn(rowGroup: rowGroup, leaf: leaf)
    places = Self.places(column)
    isAbsent = false
    let meaning = reader.schema.leaves[leaf].logicalType
    guard take(column.values, meaning, field.type) else {
      throw PipelineError(
        "TABLE_DAMAGED", .damaged,
        "\(file), row group \(rowGroup), column \(field.name): expected values of the table's "
          + "type, found \(reader.schema.leaves[leaf].physicalType) as \(meaning)",
        remedy: "another program wrote this file: restore the table, or run "
          + SilverRebuild.command)
    }
  }

  /// False for values of another type than the table's.
  private func take(
    _ stored: ColumnValues.Storage, _ meaning: LogicalType, _ type: DataType
  ) -> Bool {
    switch (type, stored, meaning) {
    case (.timestamp, .int64(let values), .timestampMicros), (.long, .int64(let values), .none),
      (.long, .int64(let values), .integer(_, signed: true)),
      (.timestamp, .timestampFromInt96(let values), _):
      integers = values
    case (.integer, .int32(let values), .none),
      (.integer, .int32(let values), .integer(_, signed: true)):
      integers = values.map(Int64.init)
    case (.double, .double(let values), _): doubles = values
    case (.boolean, .boolean(let values), _): booleans = values
    case (.string, .byteArray(let values), _): texts = values
    default: return false
    }
    return true
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

  /// Where the row's value is in its list; nil for null.
  @inline(__always)
  func place(_ row: Int) -> Int? {
    if isAbsent { return nil }
    if places.isEmpty { return row }
    let place = places[row]
    return place < 0 ? nil : Int(place)
  }

  /// The row's value in a column of integers or timestamps; nil for null.
  @inline(__always)
  func integer(_ row: Int) -> Int64? { place(row).map { integers[$0] } }

  /// Lends the row's bytes; nil without a call for null.
  @inline(__always)
  func withBytes<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result? {
    guard let place = place(row) else { return nil }
    return try texts?.withBytes(place, body)
  }
}
