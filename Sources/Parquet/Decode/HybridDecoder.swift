/// The run-length and bit-packing hybrid (apache/parquet-format, Encodings.md, "RLE"): levels,
/// dictionary indices and booleans.
struct HybridDecoder {
  private var cursor: ByteCursor
  private let bitWidth: Int

  init(_ cursor: ByteCursor, bitWidth: Int) throws(ParquetError) {
    guard bitWidth <= 32 else {
      throw cursor.error(.corruptPage, "runs of numbers of \(bitWidth) bits; 32 are the most")
    }
    self.cursor = cursor
    self.bitWidth = bitWidth
  }

  /// Appends `count` numbers; one that is not below `limit` is an error.
  mutating func decode<Value: FixedWidthInteger & BitwiseCopyable>(
    _ count: Int, below limit: UInt64, into values: inout [Value]
  ) throws(ParquetError) {
    var missing = count
    while missing > 0 {
      let header = try cursor.varint("a run's header")
      let length = header >> 1
      guard length > 0 else { throw cursor.error(.corruptPage, "a run without values") }
      if header & 1 == 0 {
        let taken = Int(min(length, UInt64(missing)))
        let value = try check(try repeatedValue(), limit)
        values.append(contentsOf: repeatElement(Value(truncatingIfNeeded: value), count: taken))
        missing -= taken
      } else {
        missing -= try unpack(groups: length, missing, limit, into: &values)
      }
    }
  }

  private mutating func repeatedValue() throws(ParquetError) -> UInt64 {
    let bytes = try cursor.take((bitWidth + 7) / 8, "a run's value")
    var value: UInt64 = 0
    for (place, byte) in bytes.enumerated() { value |= UInt64(byte) << UInt64(place * 8) }
    return value
  }

  /// Bit-packed runs hold multiples of eight; what is beyond `missing` is padding, and some writers
  /// leave the padding's bytes out at the end of the page.
  private mutating func unpack<Value: FixedWidthInteger & BitwiseCopyable>(
    groups: UInt64, _ missing: Int, _ limit: UInt64, into values: inout [Value]
  ) throws(ParquetError) -> Int {
    let groupCount = Int(min(groups, UInt64(missing / 8 + 1)))
    let count = min(groupCount * 8, missing)
    let byteCount = min(groupCount * bitWidth, cursor.remaining)
    let packed = BitUnpacker(try cursor.take(byteCount, "bit-packed values"), width: bitWidth)
    guard packed.count >= count else {
      throw cursor.error(.truncated, "\(packed.count) bit-packed values where \(count) belong")
    }
    var greatest: UInt64 = 0
    values.extend(by: count, with: 0) { added in
      for index in 0..<count {
        let value = packed.value(index)
        greatest = max(greatest, value)
        added[index] = Value(truncatingIfNeeded: value)
      }
    }
    _ = try check(greatest, limit)
    return count
  }

  private func check(_ value: UInt64, _ limit: UInt64) throws(ParquetError) -> UInt64 {
    guard value < limit else {
      throw cursor.error(.corruptPage, "found \(value) where numbers below \(limit) belong")
    }
    return value
  }
}
