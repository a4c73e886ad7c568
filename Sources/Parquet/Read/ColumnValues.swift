/// One column chunk, decoded: the levels of all its entries and the values of those that have one.
///
/// A flat optional column has an entry per row and no repetition levels. How entries of nested
/// columns become rows: apache/parquet-format, README.md, "Nested Encoding".
public struct ColumnValues: Sendable {
  /// One per entry; empty when the leaf and all its ancestors are required.
  public internal(set) var definitionLevels: [UInt8]
  /// One per entry, 0 at the first entry of a row; empty when nothing is repeated.
  public internal(set) var repetitionLevels: [UInt8]
  public package(set) var values: Storage
  /// The definition level of an entry that has a value.
  public let maxDefinitionLevel: UInt8
  /// Nulls and empty lists count.
  public internal(set) var entryCount: Int

  public enum Storage: Sendable {
    case boolean([Bool])
    case int32([Int32])
    case int64([Int64])
    /// Microseconds since 1970-01-01T00:00:00Z, cut from INT96's nanoseconds.
    case timestampFromInt96([Int64])
    case float([Float])
    case double([Double])
    case byteArray(ByteArrayValues)
    /// Values of the leaf's `typeLength`.
    case fixed(ByteArrayValues)
  }

  /// One element per entry: the value that `value` gives for its index in `values`, or nil.
  public func entries<Value>(_ value: (Int) -> Value) -> [Value?] {
    guard maxDefinitionLevel > 0 else { return (0..<entryCount).map(value) }
    var index = 0
    return definitionLevels.map { level in
      guard level == maxDefinitionLevel else { return nil }
      defer { index += 1 }
      return value(index)
    }
  }
}

/// Texts or byte strings; equal ones of a dictionary share their bytes.
public struct ByteArrayValues: Sendable {
  private var bytes: [UInt8] = []
  /// Each string that is stored: a dictionary's once, others as often as they occur.
  private var ranges: [ByteRange] = []
  /// For each value the place of its string in `ranges`.
  private var indices: [UInt32] = []

  package struct ByteRange: BitwiseCopyable, Sendable {
    package var start: UInt32
    package var count: UInt32

    static let empty = ByteRange(start: 0, count: 0)
  }

  public var count: Int { indices.count }

  /// A copy of the value at `index`.
  public subscript(index: Int) -> [UInt8] { withBytes(index) { [UInt8]($0) } }

  /// The value at `index` as text; bytes that are not UTF-8 become U+FFFD.
  public func string(_ index: Int) -> String {
    withBytes(index) { String(decoding: $0, as: UTF8.self) }
  }

  /// Lends the bytes of the value at `index`.
  @inline(__always)
  public func withBytes<Result, Failure: Error>(
    _ index: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let range = ranges[Int(indices[index])]
    return try bytes.withUnsafeBufferPointer { all throws(Failure) in
      let start = Int(range.start)
      return try body(
        UnsafeRawBufferPointer(
          UnsafeBufferPointer(rebasing: all[start..<start + Int(range.count)])))
    }
  }

  /// How many strings are stored; less than `count` when a dictionary's are shared.
  package var storedCount: Int { ranges.count }

  /// The strings that are stored and which of them each value is, for loops that look at a string
  /// once and not once for each value.
  package struct Stored {
    /// For each value the number of its string, below `count`.
    package let indices: UnsafeBufferPointer<UInt32>
    package let ranges: UnsafeBufferPointer<ByteRange>
    /// Nil when all strings are empty.
    let bytes: UnsafeRawPointer?

    package var count: Int { ranges.count }

    /// String number `index`.
    @inline(__always)
    package subscript(index: Int) -> UnsafeRawBufferPointer {
      let range = ranges[index]
      return UnsafeRawBufferPointer(
        start: bytes.map { $0 + Int(range.start) }, count: Int(range.count))
    }
  }

  /// Lends what is stored.
  package func withStored<Result, Failure: Error>(
    _ body: (Stored) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try bytes.withUnsafeBufferPointer { bytes throws(Failure) -> Result in
      try ranges.withUnsafeBufferPointer { ranges throws(Failure) -> Result in
        try indices.withUnsafeBufferPointer { indices throws(Failure) -> Result in
          try body(
            Stored(
              indices: indices, ranges: ranges,
              bytes: bytes.baseAddress.map(UnsafeRawPointer.init)))
        }
      }
    }
  }
}

extension ByteArrayValues {
  /// Stores strings; `ranges` count from the first of `text`.
  ///
  /// The caller keeps the total below 4 GiB.
  mutating func store(_ text: UnsafeRawBufferPointer, ranges added: [ByteRange]) {
    let start = UInt32(bytes.count)
    bytes.append(contentsOf: text)
    if ranges.isEmpty && start == 0 {
      ranges = added
    } else {
      ranges.append(
        contentsOf: added.lazy.map { ByteRange(start: start + $0.start, count: $0.count) })
    }
  }

  /// Stores a string: `count` bytes of one that is stored, and then `suffix`.
  mutating func store(
    prefix: ByteRange, count: Int, suffix: UnsafeRawBufferPointer
  ) -> ByteRange {
    let start = bytes.count
    bytes.reserveCapacity(start + count + suffix.count)
    let from = Int(prefix.start)
    for index in from..<from + count { bytes.append(bytes[index]) }
    bytes.append(contentsOf: suffix)
    let range = ByteRange(start: UInt32(start), count: UInt32(bytes.count - start))
    ranges.append(range)
    return range
  }

  /// Appends values by the numbers of their strings.
  mutating func append(stored numbers: [UInt32]) {
    if indices.isEmpty { indices = numbers } else { indices.append(contentsOf: numbers) }
  }

  /// Appends each string from number `first` on as a value.
  mutating func appendStored(from first: Int) {
    indices.append(contentsOf: UInt32(first)..<UInt32(ranges.count))
  }

  var storedByteCount: Int { bytes.count }
}
