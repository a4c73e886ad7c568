/// Memory of the decoder for what cannot be borrowed from the payload.
///
/// Everything written for one record stays where it is until the next: `reserve` comes first and
/// nothing moves after it. Memory is kept for the next record, unless a huge one left far more than
/// the next asks for.
struct ScratchBuffer: ~Copyable {
  private(set) var base: UnsafeMutablePointer<UInt8>
  private(set) var capacity: Int
  /// Bytes in use.
  private(set) var count = 0

  init() {
    capacity = 4096
    base = .allocate(capacity: capacity)
  }

  deinit { base.deallocate() }

  mutating func removeAll() { count = 0 }

  /// Makes room for `size` bytes.
  ///
  /// The buffer must be empty: what is in it would move.
  mutating func reserve(_ size: Int) {
    precondition(count == 0, "scratch memory that is lent out cannot be moved")
    guard size > capacity || (capacity > 1 << 20 && size < capacity / 8) else { return }
    base.deallocate()
    capacity = max(4096, size)
    base = .allocate(capacity: capacity)
  }

  /// The place for the next bytes, of which at most `capacity - count` may be written.
  var next: UnsafeMutablePointer<UInt8> { base + count }

  /// Takes `size` bytes into use that were written at `next`.
  mutating func advance(by size: Int) { count += size }

  mutating func append(_ byte: UInt8) {
    base[count] = byte
    count += 1
  }

  mutating func append(_ bytes: UnsafePointer<UInt8>, count size: Int) {
    next.update(from: bytes, count: size)
    count += size
  }
}
