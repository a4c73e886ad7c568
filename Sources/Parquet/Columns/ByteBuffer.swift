internal import Glibc

/// Raw memory that grows by doubling and keeps its capacity when it is emptied.
///
/// A structure, because a reference would be retained and released on every append. Numbers are
/// stored as they lie in memory: the supported machines and Parquet are both little-endian.
struct ByteBuffer: ~Copyable {
  var base: UnsafeMutableRawPointer
  var count = 0
  var capacity: Int

  init(capacity: Int = 64) {
    self.capacity = capacity
    base = .allocate(byteCount: capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  /// Makes room for `additional` bytes behind `count`.
  mutating func reserve(_ additional: Int) {
    if capacity &- count < additional { grow(additional) }
  }

  @inline(never)
  mutating func grow(_ additional: Int) {
    let (needed, overflow) = count.addingReportingOverflow(additional)
    precondition(!overflow, "a column buffer cannot hold more bytes than the address space")
    let enlarged = max(needed, capacity * 2)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: enlarged, alignment: 16)
    moved.copyMemory(from: base, byteCount: count)
    base.deallocate()
    base = moved
    capacity = enlarged
  }

  mutating func append<Value: BitwiseCopyable>(_ value: Value) {
    reserve(MemoryLayout<Value>.size)
    (base + count).storeBytes(of: value, as: Value.self)
    count &+= MemoryLayout<Value>.size
  }

  mutating func append(bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    reserve(bytes.count)
    (base + count).copyMemory(from: source, byteCount: bytes.count)
    count &+= bytes.count
  }

  mutating func append(repeating byte: UInt8, count additional: Int) {
    reserve(additional)
    memset(base + count, Int32(byte), additional)
    count += additional
  }

  /// Unsigned LEB128, as Thrift and Parquet's encodings use it.
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  mutating func append(zigzag value: Int64) {
    append(varint: UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  mutating func removeAll() { count = 0 }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// The content as values of one type, which must be all that was appended.
  func values<Value: BitwiseCopyable>(of type: Value.Type) -> UnsafeBufferPointer<Value> {
    UnsafeBufferPointer(
      start: base.assumingMemoryBound(to: Value.self),
      count: count / MemoryLayout<Value>.size)
  }
}
