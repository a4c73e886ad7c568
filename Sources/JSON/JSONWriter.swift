/// Writes compact JSON in the order of the calls.
///
/// Escaped are `"`, `\` and control characters; everything else is UTF-8. Commas and colons are the
/// writer's business; that containers are closed and keys only stand in objects is the caller's.
package struct JSONWriter {
  package private(set) var bytes: [UInt8] = []
  private var needsComma = false

  package init() {}

  /// What was written so far.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  package mutating func beginObject() { open(0x7B) }

  package mutating func endObject() { close(0x7D) }

  package mutating func beginArray() { open(0x5B) }

  package mutating func endArray() { close(0x5D) }

  package mutating func key(_ name: String) {
    separate()
    quote(name)
    bytes.append(0x3A)
    needsComma = false
  }

  package mutating func string(_ value: String) {
    separate()
    quote(value)
  }

  package mutating func int(_ value: Int64) { raw(String(value)) }

  package mutating func int(_ value: Int) { raw(String(value)) }

  /// The shortest text that reads back as the same double; null for NaN and the infinities, which
  /// JSON does not have.
  package mutating func double(_ value: Double) { raw(value.isFinite ? "\(value)" : "null") }

  package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }

  package mutating func null() { raw("null") }

  /// One value that is JSON already.
  package mutating func raw(_ json: String) {
    separate()
    bytes.append(contentsOf: json.utf8)
  }

  private mutating func open(_ byte: UInt8) {
    separate()
    bytes.append(byte)
    needsComma = false
  }

  private mutating func close(_ byte: UInt8) {
    bytes.append(byte)
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(0x2C) }
    needsComma = true
  }

  private mutating func quote(_ text: String) {
    bytes.append(0x22)
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5C: bytes.append(contentsOf: [0x5C, byte])
      case 0..<0x20: escapeControl(byte)
      default: bytes.append(byte)
      }
    }
    bytes.append(0x22)
  }

  private mutating func escapeControl(_ byte: UInt8) {
    switch byte {
    case 0x08: bytes.append(contentsOf: "\\b".utf8)
    case 0x09: bytes.append(contentsOf: "\\t".utf8)
    case 0x0A: bytes.append(contentsOf: "\\n".utf8)
    case 0x0C: bytes.append(contentsOf: "\\f".utf8)
    case 0x0D: bytes.append(contentsOf: "\\r".utf8)
    default:
      bytes.append(contentsOf: (byte < 0x10 ? "\\u000" : "\\u00").utf8)
      bytes.append(contentsOf: String(byte, radix: 16).utf8)
    }
  }
}

/// Members of an object in one call.
extension JSONWriter {
  package mutating func field(_ name: String, _ value: String) {
    key(name)
    string(value)
  }

  package mutating func field(_ name: String, _ value: Int64) {
    key(name)
    int(value)
  }

  package mutating func field(_ name: String, _ value: Int) {
    key(name)
    int(value)
  }

  package mutating func field(_ name: String, _ value: Bool) {
    key(name)
    bool(value)
  }

  package mutating func field(_ name: String, _ value: JSONValue) {
    key(name)
    value.write(to: &self)
  }

  /// A member that is null when there is no value.
  package mutating func field(_ name: String, optional value: Int64?) {
    key(name)
    if let value { int(value) } else { null() }
  }

  /// A member that is null when there is no value.
  package mutating func field(_ name: String, optional value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  /// A member whose value is JSON already.
  package mutating func field(_ name: String, raw json: String) {
    key(name)
    raw(json)
  }
}

extension JSONValue {
  /// Compact JSON: numbers as written, members in order.
  package var text: String {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.text
  }

  package func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .number(let number): writer.raw(number.text)
    case .string(let value): writer.string(value)
    case .array(let values):
      writer.beginArray()
      for value in values { value.write(to: &writer) }
      writer.endArray()
    case .object(let object): object.write(to: &writer)
    }
  }
}

extension JSONObject {
  /// Compact JSON: numbers as written, members in order.
  package var text: String { JSONValue.object(self).text }

  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    for (key, value) in members { writer.field(key, value) }
    writer.endObject()
  }
}
