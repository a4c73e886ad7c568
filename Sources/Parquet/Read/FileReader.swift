/// Reads one Parquet file: the footer when it is opened, then column chunk by column chunk.
///
/// From a path only the footer and the chunks asked for are read. A damaged file is an error with
/// the path and, where it is known, the byte; it never ends the process, and what it claims about
/// sizes is compared with the file and with `ReadLimits` before memory is taken.
public final class FileReader {
  private static let magic: [UInt8] = [0x50, 0x41, 0x52, 0x31]  // PAR1
  private static let encryptedMagic: [UInt8] = [0x50, 0x41, 0x52, 0x45]  // PARE

  public let metadata: FileMetaData
  public let schema: ParquetSchema
  private let source: ByteSource
  private let limits: ReadLimits
  /// Where the footer starts, so where the column chunks end.
  private let footerStart: Int

  public convenience init(
    path: String, limits: ReadLimits = ReadLimits()
  ) throws(ParquetError) {
    try self.init(try ByteSource(path: path), limits)
  }

  /// `name` stands for the path in errors.
  public convenience init(
    bytes: [UInt8], name: String, limits: ReadLimits = ReadLimits()
  ) throws(ParquetError) {
    try self.init(ByteSource(bytes: bytes, name: name), limits)
  }

  private init(_ source: ByteSource, _ limits: ReadLimits) throws(ParquetError) {
    self.source = source
    self.limits = limits
    do {
      footerStart = try Self.footerStart(source, limits)
      let count = source.size - 8 - footerStart
      let block = try source.read(footerStart, count, "the footer")
      var reader = CompactReader(ByteCursor(block, fileOffset: footerStart))
      metadata = try FileMetaData(from: &reader)
      schema = try ParquetSchema(elements: metadata.schema)
      try Self.checkRows(metadata, leafCount: schema.leaves.count)
    } catch {
      throw Self.located(error, source.name)
    }
  }

  /// Checks both ends of the file and gives the place of the footer.
  private static func footerStart(
    _ source: ByteSource, _ limits: ReadLimits
  ) throws(ParquetError) -> Int {
    guard source.size >= 12 else {
      throw ParquetError(
        .notParquet, "a file of \(source.size) bytes; the smallest Parquet file has 12 and more")
    }
    let head = try source.read(0, 4, "the first bytes")
    let tail = try source.read(source.size - 8, 8, "the last bytes")
    let end = [UInt8](tail.bytes[4...])
    if end == encryptedMagic || [UInt8](head.bytes) == encryptedMagic {
      throw ParquetError(.unsupported, "the file is encrypted, which this library cannot read")
    }
    guard [UInt8](head.bytes) == magic, end == magic else {
      throw ParquetError(
        .notParquet,
        "the file does not start and end with PAR1: it is no Parquet file or was cut short",
        byteOffset: end == magic ? 0 : source.size - 4)
    }
    let length = Int(UInt32(littleEndian: tail.bytes.loadUnaligned(as: UInt32.self)))
    guard length <= source.size - 12 else {
      throw ParquetError(
        .truncated, "the footer is said to have \(length) bytes in a file of \(source.size)",
        byteOffset: source.size - 8)
    }
    guard length <= limits.footerBytes else {
      throw ParquetError(
        .tooLarge, "a footer of \(length) bytes; this reader takes \(limits.footerBytes)",
        byteOffset: source.size - 8)
    }
    return source.size - 8 - length
  }

  private static func checkRows(_ metadata: FileMetaData, leafCount: Int) throws(ParquetError) {
    var total: Int64 = 0
    for (index, rowGroup) in metadata.rowGroups.enumerated() {
      guard rowGroup.columns.count == leafCount else {
        throw ParquetError(
          .corruptMetadata,
          "row group \(index) has \(rowGroup.columns.count) column chunks for \(leafCount) leaves")
      }
      let (sum, overflow) = total.addingReportingOverflow(rowGroup.numRows)
      guard rowGroup.numRows >= 0, !overflow else {
        throw ParquetError(
          .corruptMetadata, "row group \(index) is said to have \(rowGroup.numRows) rows")
      }
      total = sum
    }
    guard total == metadata.numRows else {
      throw ParquetError(
        .corruptMetadata, "the footer counts \(metadata.numRows) rows, its row groups \(total)")
    }
  }

  public var rowGroupCount: Int { metadata.rowGroups.count }

  public func rowCount(ofRowGroup rowGroup: Int) -> Int {
    Int(metadata.rowGroups[rowGroup].numRows)
  }

  /// Decodes the chunk of the schema's leaf `leaf` in `rowGroup`.
  ///
  /// Memory: the chunk's stored bytes, one page, and the values.
  public func readColumn(rowGroup: Int, leaf: Int) throws(ParquetError) -> ColumnValues {
    precondition(metadata.rowGroups.indices.contains(rowGroup), "there is no such row group")
    precondition(schema.leaves.indices.contains(leaf), "there is no such leaf in the schema")
    let column = schema.leaves[leaf]
    do {
      let values = try chunk(column, metadata.rowGroups[rowGroup].columns[leaf], rowGroup)
      try checkRows(values, rowCount(ofRowGroup: rowGroup), column)
      return values
    } catch {
      throw Self.located(error, source.name, "row group \(rowGroup), column \(column.name): ")
    }
  }

  private func chunk(
    _ leaf: LeafColumn, _ chunk: ColumnChunk, _ rowGroup: Int
  ) throws(ParquetError) -> ColumnValues {
    guard chunk.filePath == nil, let metaData = chunk.metaData else {
      throw ParquetError(
        .unsupported, "the values are in another file or encrypted; this library reads neither")
    }
    guard metaData.type == leaf.physicalType, metaData.pathInSchema == leaf.path else {
      throw ParquetError(
        .corruptMetadata,
        "the chunk holds \(metaData.pathInSchema.joined(separator: ".")) of type "
          + "\(metaData.type) where the schema says \(leaf.physicalType)")
    }
    guard (0...Int64(limits.chunkValues)).contains(metaData.numValues) else {
      throw ParquetError(
        .tooLarge, "\(metaData.numValues) entries; this reader takes \(limits.chunkValues)")
    }
    let decompressor = try Decompressor(metaData.codec, column: leaf.name)
    let pages = PageReader(try bytes(of: metaData), decompressor, limits)
    return try decode(leaf, entries: Int(metaData.numValues), pages)
  }

  private func bytes(of metaData: ColumnMetaData) throws(ParquetError) -> ByteCursor {
    // Without rows Arrow writes no page, and positions that mean nothing.
    guard metaData.numValues > 0 else { return ByteCursor(ByteBlock(count: 0), fileOffset: 0) }
    var start = metaData.dataPageOffset
    // Some writers say 0 where there is no dictionary.
    if let dictionary = metaData.dictionaryPageOffset, dictionary > 0, dictionary < start {
      start = dictionary
    }
    let length = metaData.totalCompressedSize
    guard start >= 4, start <= footerStart, length >= 0, length <= Int64(footerStart) - start else {
      throw ParquetError(
        .corruptMetadata,
        "the chunk is said to be \(length) bytes at \(start); the values end at \(footerStart)")
    }
    let block = try source.read(Int(start), Int(length), "the column chunk")
    return ByteCursor(block, fileOffset: Int(start))
  }

  private func decode(
    _ leaf: LeafColumn, entries: Int, _ pages: PageReader
  ) throws(ParquetError) -> ColumnValues {
    switch leaf.physicalType {
    case .boolean: return try decode(leaf, entries, pages, BooleanBuilder())
    case .int32: return try decode(leaf, entries, pages, ScalarBuilder<Int32>())
    case .int64: return try decode(leaf, entries, pages, ScalarBuilder<Int64>())
    case .int96: return try decode(leaf, entries, pages, Int96Builder())
    case .float: return try decode(leaf, entries, pages, ScalarBuilder<Float>())
    case .double: return try decode(leaf, entries, pages, ScalarBuilder<Double>())
    case .byteArray:
      let builder = ByteArrayBuilder(width: nil, byteLimit: limits.chunkBytes)
      return try decode(leaf, entries, pages, builder)
    case .fixedLenByteArray:
      let builder = ByteArrayBuilder(
        width: Int(leaf.typeLength ?? 0), byteLimit: limits.chunkBytes)
      return try decode(leaf, entries, pages, builder)
    }
  }

  private func decode(
    _ leaf: LeafColumn, _ entries: Int, _ pages: PageReader, _ builder: some ValueBuilder
  ) throws(ParquetError) -> ColumnValues {
    var reader = ColumnChunkReader(leaf, entries: entries, pages, builder)
    return try reader.read()
  }

  /// The entries must come to the row group's number of rows.
  private func checkRows(
    _ values: ColumnValues, _ expected: Int, _ leaf: LeafColumn
  ) throws(ParquetError) {
    var rows = values.entryCount
    if leaf.maxRepetitionLevel > 0 {
      rows = values.repetitionLevels.reduce(0) { $0 + ($1 == 0 ? 1 : 0) }
      guard values.repetitionLevels.first ?? 0 == 0 else {
        throw ParquetError(.corruptPage, "the first entry continues a row that is not there")
      }
    }
    guard rows == expected else {
      throw ParquetError(
        .corruptPage, "the chunk has \(rows) rows where its row group has \(expected)")
    }
  }

  private static func located(
    _ error: ParquetError, _ name: String, _ place: String = ""
  ) -> ParquetError {
    var located = ParquetError(
      error.code, place + error.message, byteOffset: error.byteOffset, path: error.path ?? name)
    located.systemError = error.systemError
    return located
  }
}
