internal import CZlib

/// Writes the pages of one column chunk after the other.
///
/// Its buffers live as long as the file.
final class ChunkWriter {
  /// Room for the header, which is known only when the page behind it is compressed.
  ///
  /// The largest has four numbers of up to 5 bytes and 15 bytes around them.
  private static let headerRoom = 64

  let pageByteLimit: Int
  private let codec: CompressionCodec
  private let compressor: Compressor
  private let write: (UnsafeRawBufferPointer) throws -> Void
  private var page = ByteBuffer()
  private var stored = ByteBuffer()
  private var header = CompactWriter()

  /// Where the next byte goes in the file.
  private(set) var position = 0

  // The chunk being written.
  private var chunkStart = 0
  private var nextLevel = 0
  private var nextValue = 0
  private var dictionaryPageOffset: Int?
  private var dataPageOffset: Int?
  private var uncompressedSize = 0
  private var encodings: [Encoding] = []

  init(
    options: WriterOptions, write: @escaping (UnsafeRawBufferPointer) throws -> Void
  ) throws(ParquetError) {
    pageByteLimit = options.pageByteLimit
    codec = options.codec.format
    compressor = try Compressor(options.codec)
    self.write = write
  }

  /// Bytes that belong to no page.
  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try write(bytes)
    position += bytes.count
  }

  /// Writes all pages of `column` and describes the chunk.
  func chunk(of column: ColumnBuffer, bounds: ValueBounds?) throws -> ColumnMetaData {
    chunkStart = position
    (nextLevel, nextValue, uncompressedSize) = (0, 0, 0)
    (dictionaryPageOffset, dataPageOffset) = (nil, nil)
    encodings = []
    try column.encode(into: self)
    precondition(
      nextLevel == column.levels.count && nextValue == column.levels.presentCount,
      "every level and value of a column is in one of its pages")
    return ColumnMetaData(
      type: column.leaf.physicalType,
      encodings: encodings + [.rle],
      pathInSchema: column.leaf.path,
      codec: codec,
      numValues: Int64(column.levels.count),
      totalUncompressedSize: Int64(uncompressedSize),
      totalCompressedSize: Int64(position - chunkStart),
      dataPageOffset: Int64(dataPageOffset ?? chunkStart),
      dictionaryPageOffset: dictionaryPageOffset.map(Int64.init),
      statistics: Statistics(nullCount: column.levels.absentCount, bounds: bounds))
  }

  /// The dictionary page, before all data pages of the chunk; `entries` are PLAIN.
  func dictionaryPage(entryCount: Int, _ entries: UnsafeRawBufferPointer) throws {
    dictionaryPageOffset = position
    page.removeAll()
    page.append(bytes: entries)
    let description = DictionaryPageHeader(
      numValues: try Self.int32(entryCount), encoding: .plain)
    note(.plain)
    try finishPage(.dictionary, dictionary: description)
  }

  /// Data pages up to the value before `valueEnd`.
  ///
  /// `pageEnd` says which value does not fit any more in a page that starts with the given one;
  /// `fill` appends a page's values.
  func dataPages(
    of levels: borrowing LevelBuffer, through valueEnd: Int, _ encoding: Encoding,
    pageEnd: (Int) -> Int, fill: (Range<Int>, inout ByteBuffer) throws -> Void
  ) throws {
    let isLast = valueEnd == levels.presentCount
    while nextLevel < levels.count, nextValue < valueEnd || isLast {
      let slice = levels.slice(
        fromLevel: nextLevel, value: nextValue, valueLimit: min(valueEnd, pageEnd(nextValue)))
      page.removeAll()
      levels.encode(slice.levels, into: &page)
      // An empty PLAIN page is no bytes at all, which no reader can misread.
      let encoding = slice.values.isEmpty ? .plain : encoding
      if !slice.values.isEmpty { try fill(slice.values, &page) }
      note(encoding)
      if dataPageOffset == nil { dataPageOffset = position }
      let description = DataPageHeader(
        numValues: try Self.int32(slice.levels.count), encoding: encoding,
        definitionLevelEncoding: .rle, repetitionLevelEncoding: .rle)
      try finishPage(.data, data: description)
      (nextLevel, nextValue) = (slice.levels.upperBound, slice.values.upperBound)
    }
  }

  private func note(_ encoding: Encoding) {
    if !encodings.contains(encoding) { encodings.append(encoding) }
  }

  /// Compresses the page, puts the header in front and writes both at once.
  private func finishPage(
    _ type: PageType, data: DataPageHeader? = nil, dictionary: DictionaryPageHeader? = nil
  ) throws {
    stored.count = Self.headerRoom
    try compressor.compress(page.bytes, into: &stored)
    let body = UnsafeRawBufferPointer(rebasing: stored.bytes[Self.headerRoom...])
    header.removeAll()
    PageHeader(
      type: type,
      uncompressedPageSize: try Self.int32(page.count),
      compressedPageSize: try Self.int32(body.count),
      crc: Self.checksum(body),
      dataPage: data,
      dictionaryPage: dictionary
    ).write(to: &header)
    let start = Self.headerRoom - header.bytes.count
    precondition(start >= 0, "a page header fits in the room in front of its page")
    header.bytes.withUnsafeBytes {
      UnsafeMutableRawBufferPointer(start: stored.base + start, count: $0.count)
        .copyMemory(from: $0)
    }
    uncompressedSize += header.bytes.count + page.count
    try append(UnsafeRawBufferPointer(rebasing: stored.bytes[start...]))
  }

  /// CRC-32 as gzip computes it; the format keeps it in a signed field.
  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    return Int32(bitPattern: UInt32(truncatingIfNeeded: crc32_z(0, start, bytes.count)))
  }

  private static func int32(_ size: Int) throws(ParquetError) -> Int32 {
    guard let size = Int32(exactly: size) else {
      throw ParquetError(.tooLarge, "a page of \(size) bytes or values; the format ends at 2 GiB")
    }
    return size
  }
}
