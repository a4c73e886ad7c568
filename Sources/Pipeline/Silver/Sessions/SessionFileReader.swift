internal import Clickstream
internal import DeltaLake
internal import Parquet

/// Reads the rows of one file of the sessions table, whoever wrote it.
///
/// Columns are found by name; those that follow from others (date, duration, `converted`) are not
/// read.
final class SessionFileReader {
  let path: String
  private let reader: FileReader
  private let firstLeaf, lastLeaf: Int?

  /// - Throws: `ParquetError` when the file cannot be read.
  init(_ file: SessionFile, of table: DeltaTable) throws {
    path = "\(table.path)/\(file.add.filePath)"
    reader = try table.openFile(file.add)
    firstLeaf = reader.leaf(ofColumn: "first_event_ts")
    lastLeaf = reader.leaf(ofColumn: "last_event_ts")
  }

  var rowGroupCount: Int { reader.rowGroupCount }

  func rowCount(ofRowGroup rowGroup: Int) -> Int { reader.rowCount(ofRowGroup: rowGroup) }

  /// False when no session of the row group can have an event within one of the spans.
  func rowGroup(_ rowGroup: Int, mayTouch reach: SessionReach) -> Bool {
    let lower = bounds(firstLeaf, rowGroup)?.lowerBound
    let upper = bounds(lastLeaf, rowGroup)?.upperBound
    return reach.mayTouch(from: lower ?? .min, to: upper ?? .max)
  }

  /// False when all sessions of the row group begin after this instant.
  func rowGroup(_ rowGroup: Int, mayBeginBy instant: Int64) -> Bool {
    bounds(firstLeaf, rowGroup).map { $0.lowerBound <= instant } ?? true
  }

  /// What the footer states in microseconds; nil for other units, too.
  private func bounds(_ leaf: Int?, _ rowGroup: Int) -> ClosedRange<Int64>? {
    guard let leaf, isMicroseconds(leaf) else { return nil }
    return reader.int64Bounds(rowGroup: rowGroup, leaf: leaf)
  }

  private func isMicroseconds(_ leaf: Int) -> Bool {
    if case .timestampMicros = reader.schema.leaves[leaf].logicalType { true } else { false }
  }

  // MARK: Columns

  /// A column of times without nulls.
  func times(_ column: String, _ rowGroup: Int) throws -> [Int64] {
    switch try required(column, rowGroup).values {
    case .timestampFromInt96(let values): return values
    case .int64(let values) where reader.leaf(ofColumn: column).map(isMicroseconds) == true:
      return values
    default: throw damaged("\(column) must hold timestamps in microseconds or INT96")
    }
  }

  /// A column of counts without nulls.
  func counts(_ column: String, _ rowGroup: Int) throws -> [Int32] {
    guard case .int32(let values) = try required(column, rowGroup).values else {
      throw damaged("\(column) must hold 32-bit integers")
    }
    guard let negative = values.firstIndex(where: { $0 < 0 }) else { return values }
    throw damaged("\(column) must not be negative, found \(values[negative])", rowGroup, negative)
  }

  /// A column of texts without nulls.
  func texts(_ column: String, _ rowGroup: Int) throws -> ByteArrayValues {
    guard case .byteArray(let values) = try required(column, rowGroup).values else {
      throw damaged("\(column) must hold strings")
    }
    return values
  }

  /// A column of texts with nulls; nil when the file lacks it, so that all are null.
  func optionalTexts(_ column: String, _ rowGroup: Int) throws -> ColumnValues? {
    guard let leaf = reader.leaf(ofColumn: column) else { return nil }
    let values = try reader.readColumn(rowGroup: rowGroup, leaf: leaf)
    guard case .byteArray = values.values else { throw damaged("\(column) must hold strings") }
    return values
  }

  private func required(_ column: String, _ rowGroup: Int) throws -> ColumnValues {
    guard let leaf = reader.leaf(ofColumn: column) else {
      throw damaged("\(column) must have values, found no such column")
    }
    let values = try reader.readColumn(rowGroup: rowGroup, leaf: leaf)
    guard values.maxDefinitionLevel > 0,
      let row = values.definitionLevels.firstIndex(where: { $0 < values.maxDefinitionLevel })
    else { return values }
    throw damaged("\(column) must have a value, found null", rowGroup, row)
  }

  /// The error for rows that this program cannot have written.
  func damaged(_ problem: String, _ rowGroup: Int? = nil, _ row: Int? = nil) -> PipelineError {
    var place = path
    if let rowGroup { place += ", row group \(rowGroup)" }
    if let row { place += ", row \(row)" }
    return PipelineError(
      "SESSIONS_DAMAGED", .damaged, "\(place): \(problem)",
      remedy: "another program changed the table: run \(SilverRebuild.command)")
  }
}
