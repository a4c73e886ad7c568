/// Memory that belongs to whoever holds the object.
///
/// Cursors hold their block, so that no pointer into it outlives it.
final class ByteBlock {
  let bytes: UnsafeMutableRawBufferPointer

  /// `count` must have been checked against the file and the limits: a size that a damaged file
  /// makes up would end the process here.
  init(count: Int) {
    bytes = .allocate(byteCount: count, alignment: 16)
  }

  deinit { bytes.deallocate() }
}
