internal import Clickstream
internal import DeltaLake
internal import Parquet

/// An open data file of `bronze.clickstream_dead_letter`, ours or one that another program made.
struct LetterFile {
  let add: AddFile
  let reader: FileReader
  private let table: DeltaTable

  /// - Throws: `ParquetError`.
  init(_ add: AddFile, of table: DeltaTable) throws {
    self.add = add
    self.table = table
    reader = try table.openFile(add)
  }

  var schema: StructType { table.snapshot.schema }

  /// A column of the table; `nil` when the file is older than it.
  ///
  /// - Throws: BRONZE_ROW, `ParquetError`.
  func values(_ field: StructField, rowGroup: Int) throws -> ColumnValues? {
    try reader.values(of: field, rowGroup: rowGroup, place: place(rowGroup))
  }

  /// A text or binary column, by row.
  func texts(_ name: String, rowGroup: Int) throws -> LetterTexts {
    let values = try column(name, rowGroup)
    guard case .byteArray(let texts) = values.values else { throw otherType(name, rowGroup) }
    return LetterTexts(values, texts)
  }

  /// A column of integers or times, by row.
  func integers(_ name: String, rowGroup: Int) throws -> [Int64?] {
    let column = try column(name, rowGroup)
    switch column.values {
    case .int32(let values): return column.entries { Int64(values[$0]) }
    case .int64(let values), .timestampFromInt96(let values): return column.entries { values[$0] }
    default: throw otherType(name, rowGroup)
    }
  }

  private func column(_ name: String, _ rowGroup: Int) throws -> ColumnValues {
    guard let field = BronzeSchema.deadLetter.field(named: name),
      let values = try values(field, rowGroup: rowGroup)
    else { throw BronzeError.row(place(rowGroup), "expected the column \(name), found none") }
    return values
  }

  private func otherType(_ name: String, _ rowGroup: Int) -> PipelineError {
    BronzeError.row(place(rowGroup), "column \(name) has a type that is not the table's")
  }

  /// A row group for an error message; rows are counted from 0.
  func place(_ rowGroup: Int, row: Int? = nil) -> String {
    "\(table.path)/\(add.filePath), row group \(rowGroup)" + (row.map { ", row \($0)" } ?? "")
  }
}

/// Byte strings of one row group, by row.
struct LetterTexts {
  let column: ColumnValues
  private let texts: ByteArrayValues
  /// Where a row's value is among `texts`; `nil` for null.
  private let places: [Int?]

  init(_ column: ColumnValues, _ texts: ByteArrayValues) {
    self.column = column
    self.texts = texts
    places = column.entries { $0 }
  }

  /// A copy as text; `nil` for null.
  func string(_ row: Int) -> String? { places[row].map(texts.string) }

  /// Lends the row's bytes, `nil` for null.
  func withBytes<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer?) throws -> Result
  ) rethrows -> Result {
    guard let place = places[row] else { return try body(nil) }
    return try texts.withBytes(place) { try body($0) }
  }
}
