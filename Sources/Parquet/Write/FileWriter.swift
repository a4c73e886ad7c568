/// Writes one Parquet file, row group by row group, front to back.
///
/// The bytes go to a closure in the order of the file; whether they are on disk is the closure's
/// affair. After an error the file is unfinished and has no footer: no reader takes it for whole.
public final class FileWriter {
  private static let magic: [UInt8] = [0x50, 0x41, 0x52, 0x31]  // PAR1

  public let schema: ParquetSchema
  private let options: WriterOptions
  private let chunks: ChunkWriter
  private var rowGroups: [RowGroup] = []
  private var nullCounts: [Int]
  private var bounds: [Bounds]
  private var isFinished = false

  /// The bounds of a leaf over the row groups so far.
  private enum Bounds {
    case noValues
    case known(ValueBounds)
    /// A row group had values without bounds.
    case unknown
  }

  /// Writes the first bytes.
  ///
  /// Throws what `write` throws, and `compressionFailed` without memory.
  public init(
    schema: ParquetSchema, options: WriterOptions = WriterOptions(),
    write: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    self.schema = schema
    self.options = options
    chunks = try ChunkWriter(options: options, write: write)
    nullCounts = [Int](repeating: 0, count: schema.leaves.count)
    bounds = [Bounds](repeating: .noValues, count: schema.leaves.count)
    try append(Self.magic)
  }

  public var bytesWritten: Int { chunks.position }

  /// Writes the rows of `columns`, one buffer per leaf in the schema's order, and resets the
  /// buffers.
  ///
  /// Without rows nothing is written. Throws what the closure of `init` throws,
  /// `compressionFailed`, and `tooLarge` for a page above 2 GiB; then the file is of no use, and the
  /// buffers must be reset by their owner.
  public func writeRowGroup(_ columns: [ColumnBuffer]) throws {
    precondition(!isFinished, "a file with a footer takes no more rows")
    precondition(columns.map(\.leaf) == schema.leaves, "one column for each leaf of the schema")
    let rowCount = columns.first?.rowCount ?? 0
    precondition(
      columns.allSatisfy { $0.rowCount == rowCount }, "all columns have the same number of rows")
    guard rowCount > 0 else { return }
    let start = chunks.position
    var described: [ColumnChunk] = []
    for (leaf, column) in columns.enumerated() {
      let metaData = try chunks.chunk(of: column, bounds: absorb(column, leaf))
      described.append(ColumnChunk(fileOffset: 0, metaData: metaData))
      column.reset()
    }
    rowGroups.append(
      RowGroup(
        columns: described,
        totalByteSize: described.reduce(0) { $0 + ($1.metaData?.totalUncompressedSize ?? 0) },
        numRows: Int64(rowCount),
        fileOffset: Int64(start),
        totalCompressedSize: Int64(chunks.position - start),
        ordinal: Int16(exactly: rowGroups.count)))
  }

  /// Takes a column's bounds into those of the file and returns them.
  private func absorb(_ column: ColumnBuffer, _ leaf: Int) -> ValueBounds? {
    nullCounts[leaf] += column.levels.absentCount
    guard column.valueCount > 0 else { return nil }
    let added = column.bounds()
    switch (bounds[leaf], added) {
    case (.noValues, .some(let added)): bounds[leaf] = .known(added)
    case (.known(let known), .some(let added)): bounds[leaf] = .known(known.union(added))
    default: bounds[leaf] = .unknown
    }
    return added
  }

  /// Writes the footer; the file is complete when this returns.
  ///
  /// Nothing can be written after.
  public func finish() throws -> FileMetaData {
    precondition(!isFinished, "a file has one footer")
    isFinished = true
    let metaData = FileMetaData(
      version: 1,
      schema: schema.elements,
      numRows: rowGroups.reduce(0) { $0 + $1.numRows },
      rowGroups: rowGroups,
      createdBy: options.createdBy,
      columnOrders: [ColumnOrder](repeating: .typeDefined, count: schema.leaves.count))
    var footer = CompactWriter()
    metaData.write(to: &footer)
    guard let length = UInt32(exactly: footer.bytes.count) else {
      throw ParquetError(.tooLarge, "a footer of \(footer.bytes.count) bytes; 4 GiB is the end")
    }
    try append(footer.bytes + withUnsafeBytes(of: length.littleEndian, Array.init) + Self.magic)
    return metaData
  }

  /// What is known of each leaf's values over all row groups, in the schema's order.
  public var fileStatistics: [ColumnStatistics] {
    zip(nullCounts, bounds).map { nullCount, bounds in
      guard case .known(let values) = bounds else {
        return ColumnStatistics(nullCount: Int64(nullCount))
      }
      return ColumnStatistics(nullCount: Int64(nullCount), min: values.min, max: values.max)
    }
  }

  private func append(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { try chunks.append($0) }
  }
}
