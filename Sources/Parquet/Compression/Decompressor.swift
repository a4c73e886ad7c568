internal import CSnappy
internal import CZlib
internal import CZstd

/// Gives the bytes of a compressed page, which must come to exactly the announced length.
struct Decompressor {
  let codec: CompressionCodec

  /// Throws `unsupported` for a codec that this library does not have.
  init(_ codec: CompressionCodec, column: String) throws(ParquetError) {
    switch codec {
    case .uncompressed, .snappy, .gzip, .zstd: self.codec = codec
    default:
      throw ParquetError(
        .unsupported,
        "column \(column) is compressed with \(codec); this library reads UNCOMPRESSED, SNAPPY, "
          + "GZIP and ZSTD: rewrite the file with one of these")
    }
  }

  /// No input of `count` bytes can become longer than this, so that a damaged length is found
  /// before memory is taken for it.
  private func greatestLength(_ count: Int) -> Int {
    switch codec {
    case .snappy: count * 32  // A copy of 64 bytes takes 3.
    case .gzip: count * 1032  // zlib's technical details: the ratio's limit.
    case .zstd: count * (128 << 10) / 4 + (128 << 10)  // A block of 128 KiB takes 4 bytes.
    default: count
    }
  }

  /// The next `count` bytes of `cursor`, decompressed to `length` bytes.
  func decompress(
    _ cursor: inout ByteCursor, count: Int, to length: Int
  ) throws(ParquetError) -> ByteCursor {
    let place = cursor.reportedOffset
    guard codec != .uncompressed else {
      guard count == length else {
        throw cursor.error(
          .corruptPage, "an uncompressed page of \(count) bytes announces \(length)")
      }
      return try cursor.split(count, "a page")
    }
    let input = try cursor.take(count, "a compressed page")
    guard length <= greatestLength(count) else {
      throw ParquetError(
        .corruptPage, "\(count) bytes of \(codec) cannot become \(length)", byteOffset: place)
    }
    let block = ByteBlock(count: length)
    let found =
      switch codec {
      case .snappy: snappy(input, block.bytes)
      case .gzip: gzip(input, block.bytes)
      default: zstd(input, block.bytes)
      }
    guard found == length else {
      throw ParquetError(
        .corruptPage, "\(count) bytes of \(codec) do not decompress to \(length) bytes",
        byteOffset: place)
    }
    return ByteCursor(block, fileOffset: place, isVerbatim: false)
  }

  /// The decompressed length, nil when the input is damaged.
  private func snappy(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var length = output.count
    let source = input.assumingMemoryBound(to: CChar.self).baseAddress
    let target = output.assumingMemoryBound(to: CChar.self).baseAddress
    let status = snappy_uncompress(source, input.count, target, &length)
    return status == SNAPPY_OK ? length : nil
  }

  private func zstd(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    let length = ZSTD_decompress(output.baseAddress, output.count, input.baseAddress, input.count)
    return ZSTD_isError(length) == 0 ? length : nil
  }

  /// Accepts gzip's and zlib's framing, since writers of both exist, and members one after another.
  private func gzip(
    _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer
  ) -> Int? {
    var stream = z_stream()
    stream.next_in = UnsafeMutablePointer(
      mutating: input.assumingMemoryBound(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(input.count)
    stream.next_out = output.assumingMemoryBound(to: UInt8.self).baseAddress
    stream.avail_out = UInt32(output.count)
    let automaticFraming: Int32 = 32
    let ready = inflateInit2_(
      &stream, MAX_WBITS + automaticFraming, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard ready == Z_OK else { return nil }
    defer { inflateEnd(&stream) }
    while true {
      guard inflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
      if stream.avail_in == 0 { return output.count - Int(stream.avail_out) }
      guard inflateReset(&stream) == Z_OK else { return nil }
    }
  }
}
