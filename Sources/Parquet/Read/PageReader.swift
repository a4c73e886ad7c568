internal import CZlib

/// The pages of one column chunk, front to back.
struct PageReader {
  private var cursor: ByteCursor
  private let decompressor: Decompressor
  private let limits: ReadLimits

  init(_ cursor: ByteCursor, _ decompressor: Decompressor, _ limits: ReadLimits) {
    self.cursor = cursor
    self.decompressor = decompressor
    self.limits = limits
  }

  enum Page {
    case dictionary(DictionaryPageHeader, ByteCursor)
    case data(DataPageHeader, ByteCursor)
    /// The levels lie apart, never compressed.
    case dataV2(DataPageHeaderV2, repetition: ByteCursor, definition: ByteCursor, ByteCursor)
    /// A kind of page that holds no values.
    case other
  }

  /// Reads the header and the body of the next page; a checksum in the header must be right.
  mutating func next() throws(ParquetError) -> Page {
    let start = cursor
    var reader = CompactReader(cursor)
    let header = try PageHeader(from: &reader)
    cursor = reader.cursor
    let (stored, length) = (Int(header.compressedPageSize), Int(header.uncompressedPageSize))
    guard stored >= 0, length >= 0 else {
      throw start.error(.corruptMetadata, "a page of \(stored) bytes that become \(length)")
    }
    guard length <= limits.pageBytes else {
      throw start.error(
        .tooLarge, "a page of \(length) bytes; this reader takes \(limits.pageBytes)")
    }
    var body = try cursor.split(stored, "a page")
    if let crc = header.crc { try check(body, UInt32(bitPattern: crc)) }
    switch header.type {
    case .dictionary:
      guard let dictionary = header.dictionaryPage else { throw headless(start) }
      return .dictionary(dictionary, try decompress(&body, to: length))
    case .data:
      guard let data = header.dataPage else { throw headless(start) }
      return .data(data, try decompress(&body, to: length))
    case .dataV2:
      guard let data = header.dataPageV2 else { throw headless(start) }
      return try splitV2(data, body, length)
    default: return .other
    }
  }

  private func headless(_ start: ByteCursor) -> ParquetError {
    start.error(.corruptMetadata, "a page's header says nothing of its kind of page")
  }

  private func decompress(
    _ body: inout ByteCursor, to length: Int
  ) throws(ParquetError) -> ByteCursor {
    try decompressor.decompress(&body, count: body.remaining, to: length)
  }

  private func splitV2(
    _ header: DataPageHeaderV2, _ page: ByteCursor, _ length: Int
  ) throws(ParquetError) -> Page {
    var body = page
    let repetition = try body.split(Int(header.repetitionLevelsByteLength), "repetition levels")
    let definition = try body.split(Int(header.definitionLevelsByteLength), "definition levels")
    // With no value but nulls there is nothing to decompress, and some writers store just that.
    if header.isCompressed, body.remaining > 0 {
      let levels = page.remaining - body.remaining
      guard length >= levels else {
        throw page.error(.corruptPage, "a page of \(length) bytes has \(levels) of levels")
      }
      body = try decompress(&body, to: length - levels)
    }
    return .dataV2(header, repetition: repetition, definition: definition, body)
  }

  private func check(_ body: ByteCursor, _ expected: UInt32) throws(ParquetError) {
    let bytes = body.rest
    let found = UInt32(
      truncatingIfNeeded: crc32_z(
        0, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count))
    // For no bytes at all zlib gives its start value, which is also their checksum.
    guard found == expected else {
      throw body.error(
        .checksumMismatch,
        "the page's checksum is \(found) where its header says \(expected): the bytes changed "
          + "after they were written, so restore the file")
    }
  }
}
