internal import Clickstream
internal import DeltaLake
internal import Parquet

/// Events of one kind on their way into data files.
final class EventsOutput {
  static let rowGroupRows = 131_072
  /// Rows of all times in groups so small that their bounds tell a look-up what to leave out.
  private static let asideRowGroupRows = 16_384

  private let schema: StructType
  private let buffers: [ColumnBuffer]
  private let isSorted: Bool
  private let rowGroupRows: Int
  private let rowGroupBytes: Int
  private let makeWriter: () -> DataFileWriter
  private var writer: DataFileWriter?
  private var closed: [DataFileWriter] = []
  /// The times of the rows that are in no complete file yet, in microseconds since 1970.
  private(set) var openTimes: ClosedRange<Int64>?

  /// - Parameters:
  ///   - buffers: empty ones for `schema`; the output uses them alone while it lives.
  ///   - isSorted: bring the rows of slices into the order of their times, about a row group's size
  ///     at once; the others stay in the order in which they came, which is nearly that.
  ///   - isAside: write small row groups.
  init(
    _ schema: StructType, buffers: [ColumnBuffer], isSorted: Bool, isAside: Bool,
    rowGroupBytes: Int, makeWriter: @escaping () -> DataFileWriter
  ) {
    self.schema = schema
    self.buffers = buffers
    self.isSorted = isSorted
    rowGroupRows = isAside ? Self.asideRowGroupRows : Self.rowGroupRows
    self.rowGroupBytes = rowGroupBytes
    self.makeWriter = makeWriter
  }

  /// Takes the rows of a slice that `mask` names.
  ///
  /// - Parameter times: the range of their event times.
  /// - Throws: as reading and writing files do; call `discard()` then.
  func append(_ slice: BronzeSlice, where mask: [Bool], times: ClosedRange<Int64>) throws {
    openTimes = openTimes?.union(times) ?? times
    for part in 0..<slice.partCount {
      try slice.copyColumns(ofPart: part, where: mask, into: buffers, schema: schema)
      // What is sorted is cut into row groups later.
      if rowCount >= Self.rowGroupRows || byteCount >= rowGroupBytes { try writeRowGroup() }
    }
  }

  /// Takes rows of stored row groups in the order of their places.
  func append(_ places: ArraySlice<RowPlace>, from gather: RowGather) throws {
    for start in stride(from: places.startIndex, to: places.endIndex, by: rowGroupRows) {
      let end = min(places.endIndex, start + rowGroupRows)
      try gather.append(places[start..<end], to: buffers)
      let isFull = rowCount >= rowGroupRows || byteCount >= rowGroupBytes
      if isFull { try writeRowGroup() }
    }
  }

  /// Takes all rows of a stored row group in their order.
  ///
  /// - Returns: false, and nothing was taken, for a file that stores a column in another form.
  func append(_ rows: StoredRows) throws -> Bool {
    if rowCount + rows.rowCount > rowGroupRows { try writeRowGroup() }
    guard try rows.append(to: buffers) else { return false }
    if rowCount >= rowGroupRows || byteCount >= rowGroupBytes { try writeRowGroup() }
    return true
  }

  private var rowCount: Int { buffers.first?.rowCount ?? 0 }

  private var byteCount: Int { buffers.reduce(0) { $0 + $1.byteCount } }

  private func writeRowGroup() throws {
    guard rowCount > 0 else { return }
    let writer = writer ?? makeWriter()
    self.writer = writer
    if isSorted {
      try writeSorted(to: writer)
    } else {
      try writer.writeRowGroup(buffers)
    }
  }

  /// Buffers only grow at their end, so the rows go through a file in memory.
  private func writeSorted(to writer: DataFileWriter) throws {
    let gather = RowGather([try rowsInMemory()], schema: schema)
    let order = try gather.orderedByTime()
    for start in stride(from: 0, to: order.count, by: rowGroupRows) {
      let end = min(order.count, start + rowGroupRows)
      try gather.append(order[start..<end], to: buffers)
      try writer.writeRowGroup(buffers)
    }
  }

  private func rowsInMemory() throws -> StoredRows {
    var bytes: [UInt8] = []
    let file = try FileWriter(
      schema: try schema.parquetSchema(), options: WriterOptions(codec: .uncompressed)
    ) { bytes.append(contentsOf: $0) }
    try file.writeRowGroup(buffers)
    _ = try file.finish()
    let name = "rows in memory"
    return StoredRows(
      try FileReader(bytes: bytes, name: name), rowGroup: 0, schema: schema, file: name)
  }

  /// Completes the file that is open, so that its rows can be read.
  ///
  /// - Returns: the files that were completed since the last call, all durable.
  func seal() throws -> [AddFile] {
    try writeRowGroup()
    openTimes = nil
    guard let writer else { return [] }
    self.writer = nil
    closed.append(writer)
    return try writer.finish()
  }

  /// Removes every file of the output and forgets the rows in its buffers.
  func discard() {
    for buffer in buffers { buffer.reset() }
    writer?.discard()
    for writer in closed { writer.discard() }
    writer = nil
    closed = []
    openTimes = nil
  }
}
