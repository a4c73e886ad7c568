/// A position in bytes that may be damaged: every step is checked against the end.
struct ByteCursor {
  private let block: ByteBlock
  private(set) var position: Int
  private let end: Int
  /// The place in the file of the block's first byte.
  private let fileOffset: Int
  /// False for decompressed bytes: there the best place to name is that of the page.
  private let isVerbatim: Bool

  init(_ block: ByteBlock, count: Int? = nil, fileOffset: Int, isVerbatim: Bool = true) {
    self.block = block
    position = 0
    end = count ?? block.bytes.count
    self.fileOffset = fileOffset
    self.isVerbatim = isVerbatim
  }

  private init(_ parent: ByteCursor, count: Int) {
    block = parent.block
    position = parent.position
    end = parent.position + count
    fileOffset = parent.fileOffset
    isVerbatim = parent.isVerbatim
  }

  var remaining: Int { end - position }

  /// Where an error at this position is reported.
  var reportedOffset: Int { isVerbatim ? fileOffset + position : fileOffset }

  /// The bytes from here to the end; valid as long as a cursor of this block.
  var rest: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: block.bytes[position..<end])
  }

  func error(_ code: ParquetError.Code, _ message: String) -> ParquetError {
    ParquetError(code, message, byteOffset: reportedOffset)
  }

  private func checkAvailable(_ count: Int, _ what: StaticString) throws(ParquetError) {
    if count < 0 || count > remaining {
      throw error(.truncated, "\(what) needs \(count) bytes where \(remaining) are left")
    }
  }

  /// The next `count` bytes, valid as long as a cursor of this block.
  mutating func take(
    _ count: Int, _ what: StaticString
  ) throws(ParquetError) -> UnsafeRawBufferPointer {
    try checkAvailable(count, what)
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: block.bytes[position..<position + count])
  }

  mutating func skip(_ count: Int, _ what: StaticString) throws(ParquetError) {
    try checkAvailable(count, what)
    position += count
  }

  /// A cursor over the next `count` bytes; this one goes on behind them.
  mutating func split(_ count: Int, _ what: StaticString) throws(ParquetError) -> ByteCursor {
    try checkAvailable(count, what)
    defer { position += count }
    return ByteCursor(self, count: count)
  }

  mutating func byte(_ what: StaticString) throws(ParquetError) -> UInt8 {
    try checkAvailable(1, what)
    defer { position += 1 }
    return block.bytes[position]
  }

  mutating func uint32(_ what: StaticString) throws(ParquetError) -> UInt32 {
    UInt32(littleEndian: try take(4, what).loadUnaligned(as: UInt32.self))
  }

  /// An unsigned LEB128 number of at most 64 bits.
  mutating func varint(_ what: StaticString) throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte(what)
      let bits = UInt64(next & 0x7F)
      guard shift < 63 || (shift == 63 && bits <= 1) else {
        throw error(.corruptMetadata, "\(what) is a number of more than 64 bits")
      }
      value |= bits << shift
      if next & 0x80 == 0 { return value }
      shift += 7
    }
  }

  mutating func zigzag(_ what: StaticString) throws(ParquetError) -> Int64 {
    let value = try varint(what)
    return Int64(bitPattern: value >> 1) ^ -Int64(value & 1)
  }
}
