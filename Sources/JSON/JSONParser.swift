extension JSONValue {
  /// The deepest nesting that a tree may have: its copies and its end are recursive in the runtime.
  package static let deepestNesting = 1024

  /// Parses one JSON text of RFC 8259 in UTF-8.
  package static func parse(_ text: String) throws(JSONError) -> JSONValue {
    try parse(Array(text.utf8))
  }

  /// Parses one JSON text of RFC 8259 in UTF-8.
  package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
    let result: Result<JSONValue, JSONError> = bytes.withUnsafeBytes { buffer in
      do throws(JSONError) { return .success(try parse(buffer)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// Parses one JSON text of RFC 8259 in UTF-8 with at most `maxDepth` open containers.
  package static func parse(
    _ bytes: UnsafeRawBufferPointer, maxDepth: Int = deepestNesting
  ) throws(JSONError) -> JSONValue {
    precondition(
      maxDepth <= deepestNesting, "a deeper tree could exhaust the stack when it is destroyed")
    guard let base = bytes.baseAddress else {
      throw JSONError(code: .unexpectedEnd, expectation: .value, found: nil, byteOffset: 0)
    }
    var parser = JSONParser(
      JSONScanner(base.assumingMemoryBound(to: UInt8.self), count: bytes.count),
      maxDepth: maxDepth)
    return try parser.parse()
  }
}

/// Builds the tree with a stack of its own, for the same reason as the scanner: a text must not be
/// able to exhaust the thread's.
private struct JSONParser {
  /// A container that is still open; `key` is that of the member whose value comes next.
  private enum Container {
    case array([JSONValue])
    case object(JSONObject, key: String)
  }

  private var scanner: JSONScanner
  private let maxDepth: Int
  private var open: [Container] = []

  init(_ scanner: JSONScanner, maxDepth: Int) {
    self.scanner = scanner
    self.maxDepth = maxDepth
  }

  mutating func parse() throws(JSONError) -> JSONValue {
    scanner.skipWhitespace()
    while true {
      guard var value = try scalarOrEmpty() else { continue }
      while let container = open.popLast() {
        guard let finished = try append(value, to: container) else { break }
        value = finished
      }
      if open.isEmpty {
        try scanner.finish()
        return value
      }
    }
  }

  /// A scalar or an empty container; nil when another container was opened, whose first value is
  /// next.
  private mutating func scalarOrEmpty() throws(JSONError) -> JSONValue? {
    guard let first = scanner.current else { throw scanner.fault(.value) }
    switch first {
    case 0x22: return .string(try string())
    case 0x2D, 0x30...0x39: return .number(try number())
    case 0x74: return try literal("true", .bool(true))
    case 0x66: return try literal("false", .bool(false))
    case 0x6E: return try literal("null", .null)
    case 0x7B: return try openObject()
    case 0x5B: return try openArray()
    default: throw scanner.fault(.value)
    }
  }

  private mutating func openObject() throws(JSONError) -> JSONValue? {
    try enter()
    if scanner.consume(0x7D) { return .object(JSONObject()) }
    open.append(.object(JSONObject(), key: try key(expecting: .keyOrObjectEnd)))
    return nil
  }

  private mutating func openArray() throws(JSONError) -> JSONValue? {
    try enter()
    if scanner.consume(0x5D) { return .array([]) }
    open.append(.array([]))
    return nil
  }

  private mutating func enter() throws(JSONError) {
    guard open.count < maxDepth else {
      throw scanner.fault(.shallowerNesting, at: scanner.position, code: .tooDeep)
    }
    scanner.position += 1
    scanner.skipWhitespace()
  }

  /// Adds `value` to `container`: the container if it ends here, else nil, and it is open again.
  private mutating func append(
    _ value: JSONValue, to container: consuming Container
  ) throws(JSONError) -> JSONValue? {
    scanner.skipWhitespace()
    let goesOn = scanner.consume(0x2C)
    if goesOn { scanner.skipWhitespace() }
    switch consume container {
    case .array(var values):
      values.append(value)
      if !goesOn { return try end(.array(values), with: 0x5D, or: .commaOrArrayEnd) }
      open.append(.array(values))
    case .object(var object, let key):
      object.members.append((key, value))
      if !goesOn { return try end(.object(object), with: 0x7D, or: .commaOrObjectEnd) }
      open.append(.object(object, key: try self.key(expecting: .key)))
    }
    return nil
  }

  private mutating func end(
    _ value: JSONValue, with byte: UInt8, or expectation: JSONError.Expectation
  ) throws(JSONError) -> JSONValue {
    guard scanner.consume(byte) else { throw scanner.fault(expectation) }
    return value
  }

  private mutating func key(
    expecting expectation: JSONError.Expectation
  ) throws(JSONError) -> String {
    text(of: try scanner.key(expecting: expectation))
  }

  private mutating func string() throws(JSONError) -> String { text(of: try scanner.string()) }

  private func text(of token: JSONStringToken) -> String {
    guard token.isEscaped else { return text(from: token.start, to: token.end) }
    return String(unsafeUninitializedCapacity: token.count) { buffer in
      guard let destination = buffer.baseAddress else { return 0 }
      return scanner.unescape(token, into: destination)
    }
  }

  private func text(from start: Int, to end: Int) -> String {
    String(
      decoding: UnsafeBufferPointer(start: scanner.base + start, count: end - start),
      as: UTF8.self)
  }

  private mutating func number() throws(JSONError) -> JSONNumber {
    let token = try scanner.number()
    return JSONNumber(text: text(from: token.start, to: token.end))
  }

  private mutating func literal(
    _ text: StaticString, _ value: JSONValue
  ) throws(JSONError) -> JSONValue {
    try scanner.literal(text)
    return value
  }
}
