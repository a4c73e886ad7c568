/// One column chunk, decoded: the levels of all its entries and the values of those that have one.
///
/// A flat optional column has an entry per row and no repetition levels. How entries of nested
/// columns become rows: apache/parquet-format, README.md, "Nested Encoding".
public struct ColumnValues: Sendable {
  /// One per entry; empty when the leaf and all its ancestors are required.
  public internal(set) var definitionLevels: [UInt8]
  /// One per entry, 0 at the first entry of a row; empty when nothing is repeated.
  public internal(set) var repetitionLevels: [UInt8]
  public internal(set) var values: Storage
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
  private(set) var bytes: [UInt8] = []
  private(set) var ranges: [ByteRange] = []

  struct ByteRange {
    var start: UInt32
    var count: UInt32
  }

  public var count: Int { ranges.count }

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
    let range = ranges[index]
    return try bytes.withUnsafeBufferPointer { all throws(Failure) in
      let start = Int(range.start)
      return try body(
        UnsafeRawBufferPointer(
          UnsafeBufferPointer(rebasing: all[start..<start + Int(range.count)])))
    }
  }
}

extension ByteArrayValues {
  /// Stores bytes for ranges to refer to.
  ///
  /// The caller keeps the total below 4 GiB.
  mutating func store(_ value: UnsafeRawBufferPointer) -> ByteRange {
    let start = UInt32(bytes.count)
    bytes.append(contentsOf: value)
    return ByteRange(start: start, count: UInt32(value.count))
  }

  /// Stores `count` bytes of what is already stored, and then `suffix`.
  mutating func store(
    prefix: ByteRange, count: Int, suffix: UnsafeRawBufferPointer
  ) -> ByteRange {
    let start = bytes.count
    bytes.reserveCapacity(start + count + suffix.count)
    let from = Int(prefix.start)
    for index in from..<from + count { bytes.append(bytes[index]) }
    bytes.append(contentsOf: suffix)
    return ByteRange(start: UInt32(start), count: UInt32(bytes.count - start))
  }

  mutating func append(_ range: ByteRange) { ranges.append(range) }

  var storedByteCount: Int { bytes.count }
}
