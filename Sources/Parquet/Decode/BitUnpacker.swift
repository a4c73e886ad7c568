/// Reads numbers of a fixed width that stand bit by bit, least significant first.
struct BitUnpacker {
  private let bytes: UnsafeRawBufferPointer
  private let width: Int
  private let mask: UInt64

  /// `width` is at most 64.
  init(_ bytes: UnsafeRawBufferPointer, width: Int) {
    self.bytes = bytes
    self.width = width
    mask = width == 64 ? .max : (1 << UInt64(width)) - 1
  }

  /// How many numbers are wholly there; without a width, any number of zeros is.
  var count: Int { width == 0 ? .max : bytes.count * 8 / width }

  /// The number at `index`, which must be below `count`.
  @inline(__always)
  func value(_ index: Int) -> UInt64 {
    let bit = index &* width
    let (byte, shift) = (bit &>> 3, UInt64(bit & 7))
    guard byte &+ 8 <= bytes.count else { return lastValue(byte, shift) }
    var value = bytes.loadUnaligned(fromByteOffset: byte, as: UInt64.self) &>> shift
    if Int(shift) &+ width > 64 { value |= UInt64(bytes[byte &+ 8]) &<< (64 &- shift) }
    return value & mask
  }

  /// A number of which no eight bytes are there.
  @inline(never)
  private func lastValue(_ byte: Int, _ shift: UInt64) -> UInt64 {
    var value: UInt64 = 0
    for (place, next) in bytes[min(byte, bytes.count)...].enumerated() {
      value |= UInt64(next) << UInt64(place * 8)
    }
    return (value >> shift) & mask
  }
}
