import Testing

@testable import Parquet

@Suite("Encoders")
struct EncoderTests {
  @Test func `the bit-packed example of Encodings.md comes out byte for byte`() {
    let values: [UInt32] = [0, 1, 2, 3, 4, 5, 6, 7]
    // Header: one group of 8, bit-packed. Then the bytes that the document prints.
    #expect(hybrid(values, bitWidth: 3) == [0x03, 0x88, 0xC6, 0xFA])
  }

  @Test func `a repeated value is one run`() {
    #expect(hybrid([UInt32](repeating: 4, count: 100), bitWidth: 3) == [0xC8, 0x01, 4])
    #expect(hybrid([UInt32](repeating: 0x0102, count: 8), bitWidth: 9) == [0x10, 0x02, 0x01])
    #expect(hybrid([UInt32](repeating: 0, count: 3), bitWidth: 0) == [0x06])
  }

  @Test func `a run behind packed values starts at a multiple of eight`() {
    let values = (0..<9).map { UInt32($0 & 1) + 8 } + [UInt32](repeating: 15, count: 23)
    let encoded = hybrid(values, bitWidth: 4)
    #expect(encoded[0] == 0x05, "two groups are packed: 9 values and 7 of the run")
    #expect(encoded.suffix(2) == [0x20, 15], "16 values remain for the run")
  }

  @Test(arguments: 0...32)
  func `the hybrid keeps every value of every width`(bitWidth: Int) {
    var random = SplitMix(seed: UInt64(bitWidth))
    let mask = bitWidth == 0 ? 0 : UInt32.max >> UInt32(32 - bitWidth)
    var values: [UInt32] = []
    while values.count < 3000 {
      let value = UInt32(truncatingIfNeeded: random.next()) & mask
      values += [UInt32](repeating: value, count: Int(random.next() % 4 == 0 ? 40 : 1))
    }
    let encoded = hybrid(values, bitWidth: bitWidth)
    #expect(HybridModel.decode(encoded, bitWidth: bitWidth, count: values.count) == values)
  }

  @Test func `consecutive numbers cost no bits in delta encoding`() {
    // Block of 128, 4 miniblocks, 5 values, first value 1; least difference 1, all widths 0.
    #expect(delta([1, 2, 3, 4, 5] as [Int64]) == [0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0])
    #expect(delta([7] as [Int32]) == [0x80, 0x01, 4, 1, 14])
  }

  @Test func `the second delta example of Encodings.md has its widths and bits`() {
    // Differences -2 -2 -2 1 1 1 1, least -2: distances 0 0 0 3 3 3 3 in 2 bits.
    let encoded = delta([7, 5, 3, 1, 2, 3, 4, 5] as [Int64])
    #expect(Array(encoded.prefix(10)) == [0x80, 0x01, 4, 8, 14, 3, 2, 0, 0, 0])
    #expect(Array(encoded.dropFirst(10)) == [0xC0, 0x3F, 0, 0, 0, 0, 0, 0])
  }

  private func hybrid(_ values: [UInt32], bitWidth: Int) -> [UInt8] {
    var buffer = ByteBuffer()
    values.withUnsafeBufferPointer {
      HybridEncoder.encode($0, bitWidth: bitWidth, into: &buffer)
    }
    return Array(buffer.bytes)
  }

  private func delta<Value: FixedWidthInteger & SignedInteger>(_ values: [Value]) -> [UInt8] {
    var buffer = ByteBuffer()
    values.withUnsafeBufferPointer { DeltaEncoder.encode($0, into: &buffer) }
    return Array(buffer.bytes)
  }
}

/// The hybrid's decoding rule in its plainest form, one bit after the other.
private enum HybridModel {
  static func decode(_ bytes: [UInt8], bitWidth: Int, count: Int) -> [UInt32] {
    var values: [UInt32] = []
    var position = 0
    while values.count < count {
      let header = varint(bytes, &position)
      if header & 1 == 0 {
        let width = (bitWidth + 7) / 8
        let value = (0..<width).reduce(0) { $0 | UInt32(bytes[position + $1]) << (8 * $1) }
        position += width
        values += [UInt32](repeating: value, count: header >> 1)
      } else {
        for index in 0..<(header >> 1) * 8 {
          values.append(
            (0..<bitWidth).reduce(0) { value, bit in
              let place = index * bitWidth + bit
              return value | UInt32(bytes[position + place / 8] >> (place % 8) & 1) << bit
            })
        }
        position += (header >> 1) * bitWidth
      }
    }
    return Array(values.prefix(count))
  }

  private static func varint(_ bytes: [UInt8], _ position: inout Int) -> Int {
    var (value, shift) = (0, 0)
    while true {
      let byte = bytes[position]
      position += 1
      value |= Int(byte & 0x7F) << shift
      shift += 7
      if byte < 0x80 { return value }
    }
  }
}

/// A small generator of repeatable pseudo-random numbers (Steele, Lea, Flood 2014).
struct SplitMix {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
