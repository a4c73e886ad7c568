internal import CSnappy
internal import CZstd

/// Compresses pages; keeps the codec's working memory from one page to the next.
final class Compressor {
  private let codec: Codec
  /// Nil for the other codecs.
  private let zstd: OpaquePointer?

  init(_ codec: Codec) throws(ParquetError) {
    self.codec = codec
    guard case .zstd = codec else {
      zstd = nil
      return
    }
    guard let context = ZSTD_createCCtx() else {
      throw ParquetError(.compressionFailed, "zstd has no memory for its working space")
    }
    zstd = context
  }

  deinit { ZSTD_freeCCtx(zstd) }

  /// Appends the compressed form of `page`.
  func compress(
    _ page: UnsafeRawBufferPointer, into buffer: inout ByteBuffer
  ) throws(ParquetError) {
    switch codec {
    case .uncompressed: buffer.append(bytes: page)
    case .snappy: try snappy(page, into: &buffer)
    case .zstd(let level): try zstd(page, level: level, into: &buffer)
    }
  }

  private func snappy(
    _ page: UnsafeRawBufferPointer, into buffer: inout ByteBuffer
  ) throws(ParquetError) {
    var length = snappy_max_compressed_length(page.count)
    buffer.reserve(length)
    let source = page.assumingMemoryBound(to: CChar.self).baseAddress
    let target = (buffer.base + buffer.count).assumingMemoryBound(to: CChar.self)
    guard snappy_compress(source, page.count, target, &length) == SNAPPY_OK else {
      throw ParquetError(.compressionFailed, "snappy could not compress \(page.count) bytes")
    }
    buffer.count += length
  }

  private func zstd(
    _ page: UnsafeRawBufferPointer, level: Int32, into buffer: inout ByteBuffer
  ) throws(ParquetError) {
    let bound = ZSTD_compressBound(page.count)
    buffer.reserve(bound)
    let length = ZSTD_compressCCtx(
      zstd, buffer.base + buffer.count, bound, page.baseAddress, page.count, level)
    guard ZSTD_isError(length) == 0 else {
      let reason = String(cString: ZSTD_getErrorName(length))
      throw ParquetError(
        .compressionFailed, "zstd could not compress \(page.count) bytes: \(reason)")
    }
    buffer.count += length
  }
}
