internal import DeltaLake
internal import Parquet

/// Some row groups of Bronze, whose rows are numbered through from 0.
final class BronzeSlice {
  /// One row group.
  final class Part {
    let file: SourceDataFile
    let rowGroup: Int
    let rows: Range<Int>
    /// Columns that are needed twice, for the keys and for the copy.
    fileprivate var kept: [String: ColumnValues] = [:]

    init(_ file: SourceDataFile, rowGroup: Int, rows: Range<Int>) {
      self.file = file
      self.rowGroup = rowGroup
      self.rows = rows
    }

    func place(row: Int) -> String { file.place(rowGroup, row: row) }
  }

  let parts: [Part]
  /// The table's columns; those that a file lacks are null in it.
  private let schema: StructType

  init(_ parts: [Part], schema: StructType) {
    self.parts = parts
    self.schema = schema
  }

  var rowCount: Int { parts.last?.rows.upperBound ?? 0 }
  var partCount: Int { parts.count }

  func rows(ofPart part: Int) -> Range<Int> { parts[part].rows }

  /// A column that stays in memory until the slice goes.
  func keptColumn(_ name: String, _ part: Part) throws -> ColumnValues? {
    if let values = part.kept[name] { return values }
    guard let values = try column(name, part) else { return nil }
    part.kept[name] = values
    return values
  }

  private func column(_ name: String, _ part: Part) throws -> ColumnValues? {
    guard let field = schema.field(named: name) else { return nil }
    return try part.kept[name] ?? part.file.column(field, rowGroup: part.rowGroup)
  }

  /// The event ids of some rows.
  ///
  /// - Parameter rows: ascending.
  /// - Throws: BRONZE_ROW where a row has none; `ParquetError`.
  func eventIDs(of rows: [Int32]) throws -> ByteStrings {
    var found: [(values: ByteArrayValues, place: Int)] = []
    found.reserveCapacity(rows.count)
    var part = 0
    var values: ByteArrayValues?
    for row in rows.lazy.map(Int.init) {
      while !parts[part].rows.contains(row) {
        part += 1
        values = nil
      }
      let ids = try values ?? requiredText("event_id", parts[part])
      values = ids
      found.append((ids, row - parts[part].rows.lowerBound))
    }
    let strings = ByteStrings(
      byteCount: found.reduce(0) { $0 + $1.values.withBytes($1.place) { $0.count } })
    for (values, place) in found { values.withBytes(place) { strings.append($0) } }
    return strings
  }

  /// Appends the chosen rows of one part to `buffers`, which stand for the columns of `schema`.
  ///
  /// A column that the file lacks becomes null.
  /// - Parameter survivors: a flag for each row of the slice.
  /// - Throws: BRONZE_ROW when a column holds another type; `ParquetError`. The buffers then have
  ///   different numbers of rows and must be thrown away.
  func copyColumns(
    ofPart part: Int, where survivors: [Bool], into buffers: [ColumnBuffer], schema: StructType
  ) throws {
    precondition(survivors.count == rowCount, "a flag for each row of the slice")
    precondition(buffers.count == schema.fields.count, "a buffer for each column")
    let part = parts[part]
    try survivors.withUnsafeBufferPointer { survivors in
      let rows = RowSelection(UnsafeBufferPointer(rebasing: survivors[part.rows]))
      guard rows.count > 0 else { return }
      for (buffer, field) in zip(buffers, schema.fields) {
        if let values = try column(field.name, part) {
          try buffer.append(values, where: rows)
        } else {
          buffer.appendNulls(rows.count)
        }
      }
    }
  }
}

/// Columns whose rows all have a value.
extension BronzeSlice {
  func requiredText(_ name: String, _ part: Part) throws -> ByteArrayValues {
    let column = try required(name, part)
    guard case .byteArray(let values) = column.values else { throw otherType(name, part) }
    return values
  }

  func requiredLongs(_ name: String, _ part: Part) throws -> [Int64] {
    switch try required(name, part).values {
    case .int64(let values), .timestampFromInt96(let values): return values
    default: throw otherType(name, part)
    }
  }

  func requiredIntegers(_ name: String, _ part: Part) throws -> [Int32] {
    guard case .int32(let values) = try required(name, part).values else {
      throw otherType(name, part)
    }
    return values
  }

  private func required(_ name: String, _ part: Part) throws -> ColumnValues {
    guard let column = try keptColumn(name, part) else {
      throw BronzeError.row(
        part.file.place(part.rowGroup), "expected the column \(name), found a file without it")
    }
    guard column.values.count == column.entryCount else {
      let row = column.definitionLevels.firstIndex { $0 != column.maxDefinitionLevel } ?? 0
      throw BronzeError.row(part.place(row: row), "expected a value of \(name), found null")
    }
    return column
  }

  func otherType(_ name: String, _ part: Part) -> PipelineError {
    BronzeError.row(
      part.file.place(part.rowGroup), "column \(name) has a type that is not Bronze's")
  }
}
