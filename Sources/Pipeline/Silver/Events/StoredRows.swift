internal import DeltaLake
internal import Parquet

/// One row group of the events table, its columns decoded when they are asked for.
final class StoredRows {
  let reader: FileReader
  let rowGroup: Int
  let rowCount: Int
  private let schema: StructType
  let file: String
  private var columns: [String: StoredColumn] = [:]
  /// What was read from disk so far.
  private(set) var bytesRead: Int64 = 0

  /// - Parameter file: the file's path, for errors.
  init(_ reader: FileReader, rowGroup: Int, schema: StructType, file: String) {
    self.reader = reader
    self.rowGroup = rowGroup
    self.schema = schema
    self.file = file
    rowCount = reader.rowCount(ofRowGroup: rowGroup)
  }

  /// Of all columns before compression, as the file states it.
  var byteCount: Int {
    Int(clamping: max(0, reader.metadata.rowGroups[rowGroup].totalByteSize))
  }

  /// The event times that the row group may hold.
  var times: ClosedRange<Int64> {
    guard let leaf = reader.leaf(ofColumn: "event_ts"),
      case .timestampMicros = reader.schema.leaves[leaf].logicalType
    else { return .min ... .max }
    return reader.int64Bounds(rowGroup: rowGroup, leaf: leaf) ?? .min ... .max
  }

  /// - Throws: `ParquetError`, `TABLE_DAMAGED`, `TABLE_SCHEMA` when the table lacks the column.
  func column(_ name: String) throws -> StoredColumn {
    if let column = columns[name] { return column }
    guard let field = schema.field(named: name) else {
      throw PipelineError(
        "TABLE_SCHEMA", .damaged, "clickstream_events: column \(name) is missing",
        remedy: "another program changed the table's schema: restore the table's log")
    }
    let column = try StoredColumn(field, in: reader, rowGroup: rowGroup, file: file)
    if let leaf = reader.leaf(ofColumn: name) {
      let chunk = reader.metadata.rowGroups[rowGroup].columns[leaf].metaData
      bytesRead += chunk?.totalCompressedSize ?? 0
    }
    columns[name] = column
    return column
  }

  /// Appends all rows in their order, whole columns at a time.
  ///
  /// - Returns: false, and nothing is appended, when the file stores a column in another form than
  ///   the buffer has, such as INT96.
  /// - Throws: `ParquetError`; the buffers must be reset then.
  func append(to buffers: [ColumnBuffer]) throws -> Bool {
    let leaves = schema.fields.map { reader.leaf(ofColumn: $0.name) }
    for (leaf, buffer) in zip(leaves, buffers) {
      guard let stored = leaf.map({ reader.schema.leaves[$0] }) else { continue }
      guard stored.physicalType == buffer.leaf.physicalType,
        stored.logicalType == buffer.leaf.logicalType
      else { return false }
    }
    let everything = [Bool](repeating: true, count: rowCount)
    try everything.withUnsafeBufferPointer { everything in
      for (leaf, buffer) in zip(leaves, buffers) {
        if let leaf {
          let values = try reader.readColumn(rowGroup: rowGroup, leaf: leaf)
          try buffer.append(values, where: RowSelection(everything))
        } else {
          buffer.appendNulls(rowCount)
        }
      }
    }
    return true
  }

  /// Gives the memory of the decoded columns back.
  func forgetColumns() { columns = [:] }
}
