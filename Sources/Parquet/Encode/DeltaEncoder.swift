/// DELTA_BINARY_PACKED (Encodings.md, "Delta Encoding"): blocks of 128 differences in four
/// miniblocks, the sizes that other writers use too.
enum DeltaEncoder {
  private static let blockSize = 128
  private static let miniblockCount = 4
  private static let miniblockSize = 32

  /// Differences wrap in the width of `Value`, as the format asks.
  static func encode<Value: FixedWidthInteger & SignedInteger>(
    _ values: UnsafeBufferPointer<Value>, into buffer: inout ByteBuffer
  ) {
    buffer.append(varint: UInt64(blockSize))
    buffer.append(varint: UInt64(miniblockCount))
    buffer.append(varint: UInt64(values.count))
    buffer.append(zigzag: Int64(values.first ?? 0))
    guard values.count > 1 else { return }
    withUnsafeTemporaryAllocation(of: Value.self, capacity: blockSize) { deltas in
      var position = 1
      while position < values.count {
        let count = min(blockSize, values.count - position)
        for index in 0..<count {
          deltas[index] = values[position &+ index] &- values[position &+ index &- 1]
        }
        encodeBlock(UnsafeMutableBufferPointer(rebasing: deltas[..<count]), into: &buffer)
        position += count
      }
    }
  }

  private static func encodeBlock<Value: FixedWidthInteger & SignedInteger>(
    _ deltas: UnsafeMutableBufferPointer<Value>, into buffer: inout ByteBuffer
  ) {
    var least = Value.max
    for delta in deltas { least = min(least, delta) }
    buffer.append(zigzag: Int64(least))
    let widths = buffer.count
    // A miniblock without values keeps width 0 and has no bytes.
    buffer.append(UInt32(0))
    for miniblock in 0..<miniblockCount {
      let start = miniblock * miniblockSize
      guard start < deltas.count else { break }
      let slice = deltas[start..<min(start + miniblockSize, deltas.count)]
      let bitWidth = pack(UnsafeMutableBufferPointer(rebasing: slice), least, into: &buffer)
      (buffer.base + widths + miniblock).storeBytes(of: UInt8(bitWidth), as: UInt8.self)
    }
  }

  /// Packs the distances from `least`, filled up with zeros, and returns their width.
  private static func pack<Value: FixedWidthInteger & SignedInteger>(
    _ deltas: UnsafeMutableBufferPointer<Value>, _ least: Value, into buffer: inout ByteBuffer
  ) -> Int {
    var union: Value.Magnitude = 0
    for delta in deltas { union |= Value.Magnitude(truncatingIfNeeded: delta &- least) }
    let bitWidth = Value.Magnitude.bitWidth - union.leadingZeroBitCount
    guard bitWidth > 0 else { return 0 }
    buffer.reserve(BitPacker.room(count: miniblockSize, bitWidth: bitWidth))
    var packer = BitPacker(at: buffer.base + buffer.count)
    for delta in deltas {
      let distance = Value.Magnitude(truncatingIfNeeded: delta &- least)
      packer.put(UInt64(truncatingIfNeeded: distance), bitWidth: bitWidth)
    }
    for _ in deltas.count..<miniblockSize { packer.put(0, bitWidth: bitWidth) }
    _ = packer.finish()
    buffer.count += miniblockSize * bitWidth / 8
    return bitWidth
  }
}
