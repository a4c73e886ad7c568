/// Packs numbers of a fixed width, least significant bit first (Encodings.md, "Bit-packed").
struct BitPacker {
  private var word: UInt64 = 0
  private var used = 0
  private var next: UnsafeMutableRawPointer

  /// The room that packing needs: the packed bytes, and one word for the last store.
  static func room(count: Int, bitWidth: Int) -> Int { (count * bitWidth + 7) / 8 + 8 }

  init(at start: UnsafeMutableRawPointer) { next = start }

  /// `value` must fit in `bitWidth` bits, which is 0 to 64.
  @inline(__always)
  mutating func put(_ value: UInt64, bitWidth: Int) {
    word |= value &<< UInt64(truncatingIfNeeded: used)
    used &+= bitWidth
    if used >= 64 {
      next.storeBytes(of: word, as: UInt64.self)
      next += 8
      used &-= 64
      word = used == 0 ? 0 : value &>> UInt64(truncatingIfNeeded: bitWidth &- used)
    }
  }

  /// Stores the last, partial word and returns where the packed bytes end.
  mutating func finish() -> UnsafeMutableRawPointer {
    next.storeBytes(of: word, as: UInt64.self)
    return next + (used + 7) / 8
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  /// How many bits the number needs: 0 for 0.
  var significantBits: Int { Self.bitWidth - leadingZeroBitCount }
}
