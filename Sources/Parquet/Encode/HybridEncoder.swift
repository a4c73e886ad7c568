/// The RLE/bit-packing hybrid of levels and dictionary indices (Encodings.md).
enum HybridEncoder {
  /// Runs shorter than this are bit-packed.
  ///
  /// A run ends a packed stretch and costs 2 to 5 bytes, so narrow values must repeat longer before
  /// it pays.
  private static func shortestRun(bitWidth: Int) -> Int { bitWidth <= 2 ? 24 : 8 }

  /// `bitWidth` is 0 to 32; every value must fit.
  static func encode<Value: FixedWidthInteger & UnsignedInteger>(
    _ values: UnsafeBufferPointer<Value>, bitWidth: Int, into buffer: inout ByteBuffer
  ) {
    let byteWidth = (bitWidth + 7) / 8
    let shortest = shortestRun(bitWidth: bitWidth)
    var position = 0
    while position < values.count {
      let run = runLength(in: values, at: position)
      // A packed stretch is filled up to a multiple of 8 values, which only the end may be.
      if run >= shortest || position + run == values.count {
        Self.run(
          of: UInt64(values[position]), count: run, byteWidth: byteWidth, into: &buffer)
        position += run
      } else {
        let end = packedEnd(in: values, from: position, shortestRun: shortest)
        pack(
          UnsafeBufferPointer(rebasing: values[position..<end]), bitWidth: bitWidth, into: &buffer)
        position = end
      }
    }
  }

  static func run(of value: UInt64, count: Int, byteWidth: Int, into buffer: inout ByteBuffer) {
    buffer.append(varint: UInt64(count) << 1)
    for byte in 0..<byteWidth {
      buffer.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)))
    }
  }

  @inline(__always)
  private static func runLength<Value: FixedWidthInteger>(
    in values: UnsafeBufferPointer<Value>, at start: Int
  ) -> Int {
    let value = values[start]
    var end = start &+ 1
    while end < values.count, values[end] == value { end &+= 1 }
    return end &- start
  }

  /// The first multiple of 8 values behind `start` at which a long enough run begins.
  private static func packedEnd<Value: FixedWidthInteger>(
    in values: UnsafeBufferPointer<Value>, from start: Int, shortestRun: Int
  ) -> Int {
    var end = start + 8
    while end < values.count {
      if values[end] == values[min(end + 1, values.count - 1)],
        runLength(in: values, at: end) >= shortestRun
      {
        return end
      }
      end += 8
    }
    return values.count
  }

  private static func pack<Value: FixedWidthInteger & UnsignedInteger>(
    _ values: UnsafeBufferPointer<Value>, bitWidth: Int, into buffer: inout ByteBuffer
  ) {
    let groups = (values.count + 7) / 8
    buffer.append(varint: UInt64(groups) << 1 | 1)
    let byteCount = groups * bitWidth
    buffer.reserve(BitPacker.room(count: groups * 8, bitWidth: bitWidth))
    var packer = BitPacker(at: buffer.base + buffer.count)
    for value in values {
      packer.put(UInt64(truncatingIfNeeded: value), bitWidth: bitWidth)
    }
    for _ in values.count..<groups * 8 { packer.put(0, bitWidth: bitWidth) }
    _ = packer.finish()
    buffer.count += byteCount
  }
}
