/// Writes structures in the Thrift compact protocol (apache/thrift,
/// doc/specs/thrift-compact-protocol.md).
///
/// Fields go in ascending order of id.
struct CompactWriter {
  private(set) var bytes: [UInt8] = []
  /// Field headers hold the distance from the previous field of the same structure.
  private var lastFieldID: Int16 = 0

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    lastFieldID = 0
  }

  /// A structure that is not a field: the outermost one, or an element of a list.
  mutating func structure(_ body: (inout CompactWriter) -> Void) {
    let enclosing = lastFieldID
    lastFieldID = 0
    body(&self)
    bytes.append(0)
    lastFieldID = enclosing
  }

  mutating func field(_ id: Int16, structure body: (inout CompactWriter) -> Void) {
    header(id, .structure)
    structure(body)
  }

  mutating func field(_ id: Int16, _ value: Int8) {
    header(id, .int8)
    bytes.append(UInt8(bitPattern: value))
  }

  mutating func field(_ id: Int16, _ value: Int16) {
    header(id, .int16)
    zigzag(Int64(value))
  }

  mutating func field(_ id: Int16, _ value: Int32) {
    header(id, .int32)
    zigzag(Int64(value))
  }

  mutating func field(_ id: Int16, _ value: Int64) {
    header(id, .int64)
    zigzag(value)
  }

  mutating func field(_ id: Int16, _ value: Bool) {
    header(id, value ? .booleanTrue : .booleanFalse)
  }

  mutating func field(_ id: Int16, _ value: String) {
    header(id, .binary)
    binary(value.utf8)
  }

  mutating func field(_ id: Int16, _ value: [UInt8]) {
    header(id, .binary)
    binary(value)
  }

  mutating func field<Element>(
    _ id: Int16, list elements: [Element], of type: CompactType,
    _ write: (inout CompactWriter, Element) -> Void
  ) {
    header(id, .list)
    if elements.count < 15 {
      bytes.append(UInt8(elements.count) << 4 | type.rawValue)
    } else {
      bytes.append(0xF0 | type.rawValue)
      varint(UInt64(elements.count))
    }
    for element in elements { write(&self, element) }
  }

  mutating func binary(_ value: some Collection<UInt8>) {
    varint(UInt64(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func zigzag(_ value: Int64) {
    varint(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  private mutating func header(_ id: Int16, _ type: CompactType) {
    let distance = id - lastFieldID
    if (1...15).contains(distance) {
      bytes.append(UInt8(distance) << 4 | type.rawValue)
    } else {
      bytes.append(type.rawValue)
      zigzag(Int64(id))
    }
    lastFieldID = id
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
