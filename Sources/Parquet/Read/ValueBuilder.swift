/// Collects the decoded values of one chunk; one implementation per way of storing values, so that
/// the inner loops are specialised.
protocol ValueBuilder {
  /// Takes over the values of a dictionary page, PLAIN encoded.
  mutating func readDictionary(_ cursor: inout ByteCursor, count: Int) throws(ParquetError)
  var dictionaryCount: Int { get }
  /// Appends dictionary entries; every index has been checked against `dictionaryCount`.
  mutating func append(indices: [UInt32]) throws(ParquetError)
  /// Appends values of any encoding but the dictionary's.
  mutating func append(
    _ cursor: inout ByteCursor, count: Int, encoding: Encoding
  ) throws(ParquetError)
  var storage: ColumnValues.Storage { get }
}

/// A value that is stored as in memory, least significant byte first.
protocol PlainScalar: BitwiseCopyable, Sendable {
  static var zero: Self { get }
  static func decodeDeltas(
    _ cursor: inout ByteCursor, count: Int, into values: inout [Self]
  ) throws(ParquetError)
  static func storage(_ values: [Self]) -> ColumnValues.Storage
}

#if _endian(big)
  #error("PLAIN values are copied as they are; a big-endian machine has to swap their bytes")
#endif

struct ScalarBuilder<Scalar: PlainScalar>: ValueBuilder {
  private var values: [Scalar] = []
  private var dictionary: [Scalar] = []

  var dictionaryCount: Int { dictionary.count }
  var storage: ColumnValues.Storage { Scalar.storage(values) }

  mutating func readDictionary(_ cursor: inout ByteCursor, count: Int) throws(ParquetError) {
    try Self.plain(&cursor, count: count, into: &dictionary)
  }

  mutating func append(indices: [UInt32]) { values.append(indices, of: dictionary) }

  mutating func append(
    _ cursor: inout ByteCursor, count: Int, encoding: Encoding
  ) throws(ParquetError) {
    switch encoding {
    case .plain: try Self.plain(&cursor, count: count, into: &values)
    case .deltaBinaryPacked: try Scalar.decodeDeltas(&cursor, count: count, into: &values)
    case .byteStreamSplit:
      let width = MemoryLayout<Scalar>.size
      let split = try cursor.take(count * width, "the streams of bytes")
      for index in 0..<count {
        var value = Scalar.zero
        withUnsafeMutableBytes(of: &value) { bytes in
          for stream in 0..<width { bytes[stream] = split[stream &* count &+ index] }
        }
        values.append(value)
      }
    default: throw unexpected(encoding, cursor)
    }
  }

  private static func plain(
    _ cursor: inout ByteCursor, count: Int, into values: inout [Scalar]
  ) throws(ParquetError) {
    let source = try cursor.take(count * MemoryLayout<Scalar>.size, "PLAIN values")
    let start = values.count * MemoryLayout<Scalar>.size
    values.append(contentsOf: repeatElement(.zero, count: count))
    values.withUnsafeMutableBytes { bytes in
      UnsafeMutableRawBufferPointer(rebasing: bytes[start...]).copyMemory(from: source)
    }
  }
}

extension Array where Element: BitwiseCopyable {
  /// Appends the entries of a dictionary that `indices`, which have been checked, name.
  mutating func append(_ indices: [UInt32], of dictionary: [Element]) {
    guard let first = dictionary.first else { return }
    extend(by: indices.count, with: first) { added in
      dictionary.withUnsafeBufferPointer { dictionary in
        for place in added.indices { added[place] = dictionary[Int(indices[place])] }
      }
    }
  }

  /// Makes room for `count` elements, which `fill` overwrites: cheaper than one by one.
  mutating func extend(
    by count: Int, with filler: Element, _ fill: (UnsafeMutableBufferPointer<Element>) -> Void
  ) {
    let start = self.count
    append(contentsOf: repeatElement(filler, count: count))
    withUnsafeMutableBufferPointer { all in
      fill(UnsafeMutableBufferPointer(rebasing: all[start...]))
    }
  }
}

func unexpected(_ encoding: Encoding, _ cursor: ByteCursor) -> ParquetError {
  cursor.error(.unsupported, "\(encoding) is no encoding of this column's type")
}

extension PlainScalar {
  static func decodeDeltas(
    _ cursor: inout ByteCursor, count: Int, into values: inout [Self]
  ) throws(ParquetError) {
    throw unexpected(.deltaBinaryPacked, cursor)
  }
}

extension Int32: PlainScalar {
  static func decodeDeltas(
    _ cursor: inout ByteCursor, count: Int, into values: inout [Int32]
  ) throws(ParquetError) {
    try DeltaDecoder.decode(&cursor, count: count, into: &values)
  }

  static func storage(_ values: [Int32]) -> ColumnValues.Storage { .int32(values) }
}

extension Int64: PlainScalar {
  static func decodeDeltas(
    _ cursor: inout ByteCursor, count: Int, into values: inout [Int64]
  ) throws(ParquetError) {
    try DeltaDecoder.decode(&cursor, count: count, into: &values)
  }

  static func storage(_ values: [Int64]) -> ColumnValues.Storage { .int64(values) }
}

extension Float: PlainScalar {
  static func storage(_ values: [Float]) -> ColumnValues.Storage { .float(values) }
}

extension Double: PlainScalar {
  static func storage(_ values: [Double]) -> ColumnValues.Storage { .double(values) }
}

struct BooleanBuilder: ValueBuilder {
  private var values: [Bool] = []

  /// The format knows no dictionary of booleans.
  var dictionaryCount: Int { 0 }
  var storage: ColumnValues.Storage { .boolean(values) }

  mutating func readDictionary(_ cursor: inout ByteCursor, count: Int) throws(ParquetError) {
    throw unexpected(.rleDictionary, cursor)
  }

  mutating func append(indices: [UInt32]) {}

  mutating func append(
    _ cursor: inout ByteCursor, count: Int, encoding: Encoding
  ) throws(ParquetError) {
    switch encoding {
    case .plain:
      let packed = BitUnpacker(try cursor.take((count + 7) / 8, "booleans"), width: 1)
      for index in 0..<count { values.append(packed.value(index) == 1) }
    case .rle:
      let length = Int(try cursor.uint32("the length of booleans"))
      var decoder = try HybridDecoder(try cursor.split(length, "booleans"), bitWidth: 1)
      var bits: [UInt8] = []
      try decoder.decode(count, below: 2, into: &bits)
      values.append(contentsOf: bits.lazy.map { $0 == 1 })
    default: throw unexpected(encoding, cursor)
    }
  }
}
