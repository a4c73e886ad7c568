/// How a column of integers is stored.
public enum IntegerEncoding: Equatable, Sendable {
  /// Differences in as few bits as they need: counters, timestamps, constants.
  case deltaBinaryPacked
  /// Few distinct values in no order. A row group with more than 65,536 of them is stored as
  /// `deltaBinaryPacked`.
  case dictionary
  case plain
}

/// 64-bit integers and timestamps.
public final class Int64Column: ColumnBuffer {
  @exclusivity(unchecked) var values = ByteBuffer()
  private let encoding: IntegerEncoding
  private let dictionary = IntegerDictionary<Int64>()

  public init(_ leaf: LeafColumn, encoding: IntegerEncoding = .deltaBinaryPacked) {
    self.encoding = encoding
    super.init(leaf, holding: .int64)
  }

  /// A row of a column that is not nested.
  public func append(_ value: Int64) {
    levels.appendPresent()
    values.append(value)
  }

  /// An entry of a nested column; `definition` is the leaf's maximum.
  public func append(_ value: Int64, definition: UInt8, repetition: UInt8) {
    precondition(definition == leaf.maxDefinitionLevel, "a value has the highest level")
    levels.append(definition: definition, repetition: repetition)
    values.append(value)
  }

  override func resetValues() { values.removeAll() }

  override var valueByteCount: Int { values.count }

  override func bounds() -> ValueBounds? {
    values.values(of: Int64.self).bounds.map { ValueBounds(min: .int64($0), max: .int64($1)) }
  }

  override func encode(into chunk: ChunkWriter) throws {
    try chunk.integers(values.values(of: Int64.self), of: levels, encoding, dictionary)
  }
}

/// 32-bit integers and dates.
public final class Int32Column: ColumnBuffer {
  @exclusivity(unchecked) var values = ByteBuffer()
  private let encoding: IntegerEncoding
  private let dictionary = IntegerDictionary<Int32>()

  public init(_ leaf: LeafColumn, encoding: IntegerEncoding = .deltaBinaryPacked) {
    self.encoding = encoding
    super.init(leaf, holding: .int32)
  }

  /// A row of a column that is not nested.
  public func append(_ value: Int32) {
    levels.appendPresent()
    values.append(value)
  }

  /// An entry of a nested column; `definition` is the leaf's maximum.
  public func append(_ value: Int32, definition: UInt8, repetition: UInt8) {
    precondition(definition == leaf.maxDefinitionLevel, "a value has the highest level")
    levels.append(definition: definition, repetition: repetition)
    values.append(value)
  }

  override func resetValues() { values.removeAll() }

  override var valueByteCount: Int { values.count }

  override func bounds() -> ValueBounds? {
    values.values(of: Int32.self).bounds.map { ValueBounds(min: .int32($0), max: .int32($1)) }
  }

  override func encode(into chunk: ChunkWriter) throws {
    try chunk.integers(values.values(of: Int32.self), of: levels, encoding, dictionary)
  }
}

extension UnsafeBufferPointer where Element: FixedWidthInteger {
  /// The least and the greatest element.
  fileprivate var bounds: (Element, Element)? {
    guard !isEmpty else { return nil }
    var (least, greatest) = (Element.max, Element.min)
    for value in self {
      least = Swift.min(least, value)
      greatest = Swift.max(greatest, value)
    }
    return (least, greatest)
  }
}

/// The distinct integers of a row group, found when it is encoded.
final class IntegerDictionary<Value: FixedWidthInteger & BitwiseCopyable> {
  private static var entryLimit: Int { 1 << 16 }

  /// The dictionary page.
  private(set) var entries = ByteBuffer()
  /// One number for each value.
  private(set) var indices = ByteBuffer()
  /// Twice the limit, so that a free slot is always near; 0 is free, else the number + 1.
  private var table: [UInt32] = []

  /// False when there are too many distinct values; what is stored then means nothing.
  func build(_ values: UnsafeBufferPointer<Value>) -> Bool {
    reset()
    indices.reserve(values.count * MemoryLayout<UInt32>.size)
    for value in values {
      guard let index = index(of: value) else { return false }
      indices.append(index)
    }
    return true
  }

  var count: Int { entries.count / MemoryLayout<Value>.size }

  private func reset() {
    entries.removeAll()
    indices.removeAll()
    if table.isEmpty {
      table = [UInt32](repeating: 0, count: Self.entryLimit * 2)
    } else {
      for slot in table.indices { table[slot] = 0 }
    }
  }

  private func index(of value: Value) -> UInt32? {
    let mixed = UInt64(truncatingIfNeeded: value) &* 0x9E37_79B9_7F4A_7C15
    var slot = Int(truncatingIfNeeded: mixed >> 47)
    while table[slot] != 0 {
      let index = table[slot] - 1
      if entries.values(of: Value.self)[Int(index)] == value { return index }
      slot = (slot + 1) & (Self.entryLimit * 2 - 1)
    }
    guard count < Self.entryLimit else { return nil }
    entries.append(value)
    table[slot] = UInt32(count)
    return UInt32(count - 1)
  }
}
