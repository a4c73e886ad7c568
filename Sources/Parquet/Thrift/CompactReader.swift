/// Reads structures of the Thrift compact protocol (apache/thrift,
/// doc/specs/thrift-compact-protocol.md) from bytes that may be damaged.
///
/// Errors are `truncated` and `corruptMetadata`. Memory stays in proportion to the bytes read: an
/// announced length is compared with the bytes that are left before anything is stored.
struct CompactReader {
  /// Deeper nesting than any version of parquet.thrift has, and far from the end of the stack.
  private static let depthLimit = 32

  private(set) var cursor: ByteCursor
  private var depth = 0

  init(_ cursor: ByteCursor) { self.cursor = cursor }

  struct Field {
    let id: Int16
    let type: CompactType
  }

  /// Calls `body` for each field; it must read the field's value or `skip` it.
  mutating func structure(
    _ body: (inout CompactReader, Field) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    try enter()
    var lastID: Int16 = 0
    while true {
      let header = try cursor.byte("a field header")
      if header == 0 { break }
      let type = try type(header & 0x0F)
      let distance = Int16(header >> 4)
      if distance == 0 {
        lastID = try integer("a field id")
      } else {
        let (id, overflow) = lastID.addingReportingOverflow(distance)
        if overflow { throw cursor.error(.corruptMetadata, "a field id passes 32767") }
        lastID = id
      }
      try body(&self, Field(id: lastID, type: type))
    }
    depth -= 1
  }

  /// The value of a field that is itself a structure.
  mutating func structure(
    _ field: Field, _ body: (inout CompactReader, Field) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    try expect(.structure, field)
    try structure(body)
  }

  mutating func int8(_ field: Field) throws(ParquetError) -> Int8 {
    try expect(.int8, field)
    return Int8(bitPattern: try cursor.byte("a number"))
  }

  mutating func int16(_ field: Field) throws(ParquetError) -> Int16 {
    try expect(.int16, field)
    return try integer("a number")
  }

  mutating func int32(_ field: Field) throws(ParquetError) -> Int32 {
    try expect(.int32, field)
    return try int32Element()
  }

  mutating func int32Element() throws(ParquetError) -> Int32 { try integer("a number") }

  mutating func int64(_ field: Field) throws(ParquetError) -> Int64 {
    try expect(.int64, field)
    return try cursor.zigzag("a number")
  }

  func boolean(_ field: Field) throws(ParquetError) -> Bool {
    switch field.type {
    case .booleanTrue: return true
    case .booleanFalse: return false
    default: throw mismatch(.booleanTrue, field)
    }
  }

  mutating func bytes(_ field: Field) throws(ParquetError) -> [UInt8] {
    try expect(.binary, field)
    return [UInt8](try binary())
  }

  mutating func string(_ field: Field) throws(ParquetError) -> String {
    try expect(.binary, field)
    return try stringElement()
  }

  mutating func stringElement() throws(ParquetError) -> String {
    let bytes = try binary()
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw cursor.error(.corruptMetadata, "a name is not UTF-8")
    }
    return text
  }

  /// A list, element by element.
  mutating func list<Element>(
    _ field: Field, of type: CompactType,
    _ element: (inout CompactReader) throws(ParquetError) -> Element
  ) throws(ParquetError) -> [Element] {
    try expect(.list, field)
    let (count, found) = try listHeader()
    guard found == type || count == 0 else {
      throw cursor.error(
        .corruptMetadata, "field \(field.id) is a list of \(found) where \(type) is expected")
    }
    var elements: [Element] = []
    for _ in 0..<count { elements.append(try element(&self)) }
    return elements
  }

  /// Passes over a field of any type, with everything in it.
  mutating func skip(_ field: Field) throws(ParquetError) {
    switch field.type {
    case .booleanTrue, .booleanFalse: break  // The header is the value.
    default: try skipValue(field.type)
    }
  }

  private mutating func skipValue(_ type: CompactType) throws(ParquetError) {
    switch type {
    case .booleanTrue, .booleanFalse, .int8: _ = try cursor.byte("a value")
    case .int16, .int32, .int64: _ = try cursor.varint("a number")
    case .double: _ = try cursor.take(8, "a number")
    case .binary: _ = try binary()
    case .structure:
      try structure { reader, field throws(ParquetError) in try reader.skip(field) }
    case .list, .set:
      try enter()
      let (count, element) = try listHeader()
      for _ in 0..<count { try skipValue(element) }
      depth -= 1
    case .map: try skipMap()
    }
  }

  private mutating func skipMap() throws(ParquetError) {
    try enter()
    let count = try elementCount(try cursor.varint("a map's length"))
    if count > 0 {
      let types = try cursor.byte("a map's types")
      let (key, value) = (try type(types >> 4), try type(types & 0x0F))
      for _ in 0..<count {
        try skipValue(key)
        try skipValue(value)
      }
    }
    depth -= 1
  }

  private mutating func listHeader() throws(ParquetError) -> (count: Int, type: CompactType) {
    let header = try cursor.byte("a list's header")
    let type = try type(header & 0x0F)
    let short = header >> 4
    if short < 15 { return (try elementCount(UInt64(short)), type) }
    return (try elementCount(try cursor.varint("a list's length")), type)
  }

  /// Every element takes at least one byte.
  private func elementCount(_ count: UInt64) throws(ParquetError) -> Int {
    guard count <= UInt64(cursor.remaining) else {
      throw cursor.error(
        .truncated, "\(count) elements are announced where \(cursor.remaining) bytes are left")
    }
    return Int(count)
  }

  private mutating func binary() throws(ParquetError) -> UnsafeRawBufferPointer {
    let count = try elementCount(try cursor.varint("a length"))
    return try cursor.take(count, "a text")
  }

  private mutating func integer<Value: FixedWidthInteger>(
    _ what: StaticString
  ) throws(ParquetError) -> Value {
    let value = try cursor.zigzag(what)
    guard let exact = Value(exactly: value) else {
      throw cursor.error(.corruptMetadata, "\(what), \(value), does not fit its field")
    }
    return exact
  }

  private func type(_ nibble: UInt8) throws(ParquetError) -> CompactType {
    guard let type = CompactType(rawValue: nibble) else {
      throw cursor.error(.corruptMetadata, "\(nibble) is no type of the Thrift compact protocol")
    }
    return type
  }

  private mutating func enter() throws(ParquetError) {
    depth += 1
    if depth > Self.depthLimit {
      throw cursor.error(.corruptMetadata, "structures nest deeper than \(Self.depthLimit)")
    }
  }

  private func expect(_ type: CompactType, _ field: Field) throws(ParquetError) {
    if field.type != type { throw mismatch(type, field) }
  }

  private func mismatch(_ type: CompactType, _ field: Field) -> ParquetError {
    cursor.error(
      .corruptMetadata, "field \(field.id) is of type \(field.type) where \(type) is expected")
  }
}

/// The value of a field without which its structure means nothing.
func required<Value>(
  _ value: Value?, _ name: StaticString, _ reader: CompactReader
) throws(ParquetError) -> Value {
  guard let value else {
    throw reader.cursor.error(.corruptMetadata, "the required field \(name) is missing")
  }
  return value
}
