import Glibc

/// xoshiro256**, seeded by SplitMix64 (Blackman and Vigna): the same numbers for the same seed on
/// every machine and with every version of the standard library.
struct SeededRandom {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  init(seed: UInt64) {
    var mixer = seed
    func next() -> UInt64 {
      mixer &+= 0x9E37_79B9_7F4A_7C15
      var word = mixer
      word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
      return word ^ (word >> 31)
    }
    state = (next(), next(), next(), next())
  }

  mutating func next() -> UInt64 {
    let result = Self.rotated(state.1 &* 5, by: 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = Self.rotated(state.3, by: 45)
    return result
  }

  private static func rotated(_ word: UInt64, by count: UInt64) -> UInt64 {
    word << count | word >> (64 - count)
  }

  /// A number in `0..<bound`; the bias of a multiplication without rejection is below 2^-32 here.
  mutating func below(_ bound: Int) -> Int {
    precondition(bound > 0, "no number is below \(bound)")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in `0..<1`.
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  mutating func chance(_ probability: Double) -> Bool { unit() < probability }

  /// An exponentially distributed number.
  mutating func exponential(mean: Double) -> Double { -mean * log1p(-unit()) }

  mutating func element<Element>(of elements: [Element]) -> Element {
    elements[below(elements.count)]
  }

  /// A random UUID (version 4) in lower case.
  mutating func uuid() -> String {
    let words = [
      next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
      next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000,
    ]
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: 36) { text in
      var next = 0
      for nibble in 0..<32 {
        if [8, 12, 16, 20].contains(nibble) {
          text[next] = 0x2D
          next += 1
        }
        let word = words[nibble / 16]
        text[next] = digits[Int(word >> UInt64(60 - nibble % 16 * 4) & 15)]
        next += 1
      }
      return next
    }
  }
}
