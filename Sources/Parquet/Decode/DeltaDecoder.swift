/// Differences, bit-packed in blocks (apache/parquet-format, Encodings.md, "Delta Encoding").
enum DeltaDecoder {
  private struct Header {
    let valuesPerMiniblock: Int
    let miniblockCount: Int
    let valueCount: Int
    let firstValue: Int64

    init(_ cursor: inout ByteCursor, limit: Int) throws(ParquetError) {
      let blockSize = try cursor.varint("the size of a delta block")
      let miniblocks = try cursor.varint("the number of miniblocks")
      let count = try cursor.varint("the number of deltas")
      firstValue = try cursor.zigzag("the first value")
      // The format sets no upper bound; parquet-mr and Arrow use 128 values in 4 miniblocks.
      guard (1...1 << 16).contains(blockSize), (1...blockSize).contains(miniblocks),
        blockSize % miniblocks == 0, (blockSize / miniblocks) % 8 == 0
      else {
        throw cursor.error(
          .corruptPage, "a delta block of \(blockSize) values in \(miniblocks) miniblocks")
      }
      guard count <= UInt64(limit) else {
        throw cursor.error(
          .corruptPage, "\(count) deltas where at most \(limit) values belong")
      }
      valuesPerMiniblock = Int(blockSize / miniblocks)
      miniblockCount = Int(miniblocks)
      valueCount = Int(count)
    }
  }

  /// Appends the sequence that starts at the cursor and has exactly `count` values; the cursor
  /// ends behind it.
  ///
  /// Sums wrap, as the format says, so the same code serves both widths.
  static func decode<Value: FixedWidthInteger & BitwiseCopyable>(
    _ cursor: inout ByteCursor, count: Int, into values: inout [Value]
  ) throws(ParquetError) {
    let header = try Header(&cursor, limit: count)
    guard header.valueCount == count else {
      throw cursor.error(.corruptPage, "\(header.valueCount) deltas where \(count) belong")
    }
    guard count > 0 else { return }
    var last = header.firstValue
    values.append(Value(truncatingIfNeeded: last))
    var missing = count - 1
    while missing > 0 {
      let least = try cursor.zigzag("a block's least delta")
      let widths = try cursor.take(header.miniblockCount, "the widths of miniblocks")
      for width in widths where missing > 0 {
        guard width <= 64 else {
          throw cursor.error(.corruptPage, "deltas of \(width) bits; 64 are the most")
        }
        // Over all that follows: eight bytes at once can then be read up to the last number.
        let packed = BitUnpacker(cursor.rest, width: Int(width))
        try cursor.skip(header.valuesPerMiniblock / 8 * Int(width), "a miniblock")
        let taken = min(missing, header.valuesPerMiniblock)
        values.extend(by: taken, with: 0) { added in
          for index in 0..<taken {
            last = last &+ least &+ Int64(bitPattern: packed.value(index))
            added[index] = Value(truncatingIfNeeded: last)
          }
        }
        missing -= taken
      }
    }
  }

  /// Lengths: as above, and none is negative.
  static func lengths(
    _ cursor: inout ByteCursor, count: Int
  ) throws(ParquetError) -> [Int32] {
    var lengths: [Int32] = []
    try decode(&cursor, count: count, into: &lengths)
    guard lengths.allSatisfy({ $0 >= 0 }) else {
      throw cursor.error(.corruptPage, "a length is negative")
    }
    return lengths
  }
}
