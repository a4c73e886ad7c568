import JSON

/// What the pass has seen of one known field.
struct FieldSlot {
  /// Nil for absent and null.
  let start: UnsafePointer<UInt8>?
  /// The length; for a null its byte position and for an absent field -1, for the dead letter.
  let count: Int

  static var absent: FieldSlot { FieldSlot(start: nil, count: -1) }

  static func null(at offset: Int) -> FieldSlot { FieldSlot(start: nil, count: offset) }

  var isNull: Bool { start == nil }

  var bytes: FieldBytes { isNull ? .null : FieldBytes(start: start, count: count) }

  var buffer: UnsafeRawBufferPointer? { bytes.buffer }
}

/// The value of a field that a column takes, by its JSON type.
enum FieldValue {
  case null
  case boolean(Bool)
  case number(JSONNumberToken)
  case string(JSONStringToken)
  /// An object or array, of which nothing is consumed yet.
  case container

  var isStringOrNumber: Bool {
    switch self {
    case .string, .number: true
    case .null, .boolean, .container: false
    }
  }

  static func read(_ scanner: inout JSONScanner) throws(JSONError) -> FieldValue {
    guard let first = scanner.current else { throw scanner.fault(.value) }
    switch first {
    case 0x22: return .string(try scanner.string())
    case 0x2D, 0x30...0x39: return .number(try scanner.number())
    case 0x7B, 0x5B: return .container
    case 0x6E:
      try scanner.literal("null")
      return .null
    case 0x74:
      try scanner.literal("true")
      return .boolean(true)
    case 0x66:
      try scanner.literal("false")
      return .boolean(false)
    default: throw scanner.fault(.value)
    }
  }
}
