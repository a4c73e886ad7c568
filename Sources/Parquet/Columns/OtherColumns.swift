/// Truth values, PLAIN: one bit each.
public final class BooleanColumn: ColumnBuffer {
  /// One byte per value.
  @exclusivity(unchecked) var values = ByteBuffer()

  public init(_ leaf: LeafColumn) { super.init(leaf, holding: .boolean) }

  /// A row of a column that is not nested.
  public func append(_ value: Bool) {
    levels.appendPresent()
    values.append(value ? 1 : 0 as UInt8)
  }

  /// An entry of a nested column; `definition` is the leaf's maximum.
  public func append(_ value: Bool, definition: UInt8, repetition: UInt8) {
    precondition(definition == leaf.maxDefinitionLevel, "a value has the highest level")
    levels.append(definition: definition, repetition: repetition)
    values.append(value ? 1 : 0 as UInt8)
  }

  override func resetValues() { values.removeAll() }

  override var valueByteCount: Int { values.count }

  override func bounds() -> ValueBounds? {
    guard values.count > 0 else { return nil }
    let bits = values.values(of: UInt8.self)
    return ValueBounds(min: .boolean(!bits.contains(0)), max: .boolean(bits.contains(1)))
  }

  override func encode(into chunk: ChunkWriter) throws {
    let bits = values.values(of: UInt8.self)
    try chunk.dataPages(of: levels, through: bits.count, .plain) { first in
      min(bits.count, first + chunk.pageByteLimit * 8)
    } fill: { range, page in
      page.reserve(BitPacker.room(count: range.count, bitWidth: 1))
      var packer = BitPacker(at: page.base + page.count)
      for index in range { packer.put(UInt64(bits[index]), bitWidth: 1) }
      page.count = packer.finish() - page.base
    }
  }
}

/// 64-bit floating point, PLAIN.
public final class DoubleColumn: ColumnBuffer {
  @exclusivity(unchecked) var values = ByteBuffer()

  public init(_ leaf: LeafColumn) { super.init(leaf, holding: .double) }

  /// A row of a column that is not nested.
  public func append(_ value: Double) {
    levels.appendPresent()
    values.append(value)
  }

  /// An entry of a nested column; `definition` is the leaf's maximum.
  public func append(_ value: Double, definition: UInt8, repetition: UInt8) {
    precondition(definition == leaf.maxDefinitionLevel, "a value has the highest level")
    levels.append(definition: definition, repetition: repetition)
    values.append(value)
  }

  override func resetValues() { values.removeAll() }

  override var valueByteCount: Int { values.count }

  override func bounds() -> ValueBounds? {
    values.values(of: Double.self).bounds.map { ValueBounds(min: .double($0), max: .double($1)) }
  }

  override func encode(into chunk: ChunkWriter) throws {
    try chunk.plain(values.values(of: Double.self), of: levels)
  }
}

/// 32-bit floating point, PLAIN.
public final class FloatColumn: ColumnBuffer {
  @exclusivity(unchecked) var values = ByteBuffer()

  public init(_ leaf: LeafColumn) { super.init(leaf, holding: .float) }

  /// A row of a column that is not nested.
  public func append(_ value: Float) {
    levels.appendPresent()
    values.append(value)
  }

  /// An entry of a nested column; `definition` is the leaf's maximum.
  public func append(_ value: Float, definition: UInt8, repetition: UInt8) {
    precondition(definition == leaf.maxDefinitionLevel, "a value has the highest level")
    levels.append(definition: definition, repetition: repetition)
    values.append(value)
  }

  override func resetValues() { values.removeAll() }

  override var valueByteCount: Int { values.count }

  override func bounds() -> ValueBounds? {
    values.values(of: Float.self).bounds.map { ValueBounds(min: .float($0), max: .float($1)) }
  }

  override func encode(into chunk: ChunkWriter) throws {
    try chunk.plain(values.values(of: Float.self), of: levels)
  }
}

extension UnsafeBufferPointer where Element: BinaryFloatingPoint {
  /// Nil when a NaN occurs, which has no place in the order.
  ///
  /// A zero bound is written as the zero that bounds both zeros (parquet.thrift, `ColumnOrder`).
  fileprivate var bounds: (Element, Element)? {
    guard !isEmpty else { return nil }
    var (least, greatest) = (Element.infinity, -Element.infinity)
    for value in self {
      if value.isNaN { return nil }
      least = Swift.min(least, value)
      greatest = Swift.max(greatest, value)
    }
    return (least == 0 ? -0.0 : least, greatest == 0 ? 0 : greatest)
  }
}
