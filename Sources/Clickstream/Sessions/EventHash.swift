/// 64-bit hashes of what strangers wrote, under a seed that is another one in each process.
///
/// A hash that cannot be predicted cannot be made to collide. It must not be stored: the next
/// process has another seed. Two 64-bit factors are folded by a full multiplication, 16 bytes a
/// step. Equal hashes are a suspicion only; whoever decides on one compares the bytes.
package enum EventHash {
  static let seed = UInt64.random(in: .min ... .max)
  private static let odd: UInt64 = 0xA076_1D64_78BD_642F
  private static let odd2: UInt64 = 0xE703_7ED1_A0B4_28DB
  private static let odd3: UInt64 = 0x8EBC_6AF0_9C88_C6E3

  /// The hash of some bytes, such as a visitor or an event id.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 { of(bytes, seed: seed) }

  /// The hash of an event: of who (`visitorHash`), when (`time`) and which (`eventIDHash`).
  package static func fingerprint(
    visitorHash: UInt64, time: Int64, eventIDHash: UInt64
  ) -> UInt64 {
    let when = fold(visitorHash ^ odd, UInt64(bitPattern: time) ^ odd2)
    return fold(when ^ eventIDHash, odd3 ^ (eventIDHash >> 32 | eventIDHash << 32))
  }

  @inline(__always)
  static func of(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return fold(seed ^ odd, odd2) }
    var (next, rest) = (start, bytes.count)
    var state = seed ^ fold(UInt64(truncatingIfNeeded: rest) ^ odd3, seed ^ odd)
    while rest > 16 {
      state = fold(
        next.loadUnaligned(as: UInt64.self) ^ odd,
        next.loadUnaligned(fromByteOffset: 8, as: UInt64.self) ^ state)
      next += 16
      rest &-= 16
    }
    let (head, tail) = lastWords(next, rest)
    return fold(fold(head ^ odd2, tail ^ state) ^ seed, odd3 ^ state)
  }

  /// 1 to 16 bytes as two words, which overlap for the lengths between.
  @inline(__always)
  private static func lastWords(_ start: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
    if count >= 8 {
      return (
        start.loadUnaligned(as: UInt64.self),
        start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      )
    }
    if count >= 4 {
      return (
        UInt64(start.loadUnaligned(as: UInt32.self)),
        UInt64(start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
      )
    }
    let first = UInt64(start.load(as: UInt8.self))
    let middle = UInt64(start.load(fromByteOffset: count &>> 1, as: UInt8.self))
    return (first | middle << 8, UInt64(start.load(fromByteOffset: count &- 1, as: UInt8.self)))
  }

  @inline(__always)
  static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
