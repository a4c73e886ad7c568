import JSON

/// The dead letters of the decoder and their texts: field, byte position, expected, found.
extension DeadLetter {
  static let tombstone = DeadLetter(
    reason: .nullValue, detail: "expected a JSON object, found a null value (a tombstone)")

  static let empty = DeadLetter(
    reason: .invalidJSON, detail: "byte 0: expected a JSON object, found an empty value")

  static func tooLarge(_ count: Int, limit: Int) -> DeadLetter {
    DeadLetter(
      reason: .tooLarge, detail: "expected at most \(limit) bytes, found a value of \(count) bytes")
  }

  /// `scanner` stands behind the scalar, or at the bracket of an array.
  static func notAnObject(_ scanner: JSONScanner) -> DeadLetter {
    var start = scanner
    start.position = 0
    start.skipWhitespace()
    let found = Excerpt.text(
      scanner, from: start.position, to: max(scanner.position, start.position + 1))
    return DeadLetter(
      reason: .notAnObject,
      detail: "byte \(start.position): expected a JSON object, found \(found)")
  }

  static func missing(
    _ field: KnownField, _ slot: FieldSlot, _ scanner: JSONScanner
  ) -> DeadLetter {
    let found =
      slot.count < 0
      ? "byte \(scanner.count): expected this required field, found the end of the object without it"
      : "byte \(slot.count): expected a value in this required field, found null"
    return DeadLetter(reason: .missingField, detail: "field \(field.name), \(found)")
  }

  static func field(
    _ name: String, _ expectation: String, _ fault: FieldFaults.Fault, _ scanner: JSONScanner
  ) -> DeadLetter {
    let found = Excerpt.text(scanner, from: fault.offset, to: fault.end)
    let name = Excerpt.escaped(name.utf8)
    return DeadLetter(
      reason: fault.reason,
      detail: "field \(name), byte \(fault.offset): expected \(expectation), found \(found)")
  }

  static func invalid(
    _ error: JSONError, _ scanner: JSONScanner, _ nesting: JSONNesting
  ) -> DeadLetter {
    let near = Excerpt.text(
      scanner, from: max(0, error.byteOffset - 16), to: min(scanner.count, error.byteOffset + 24))
    let message =
      error.code == .tooDeep
      ? "expected at most \(nesting.maxDepth) levels of nesting, found one more" : error.message
    let field = unreadableField(scanner, nesting).map { "field \($0), " } ?? ""
    return DeadLetter(
      reason: reason(of: error.code),
      detail: "\(field)byte \(error.byteOffset): \(message), near \(near)")
  }

  /// The top-level field whose value cannot be read.
  ///
  /// The good record does not pay for it: here the
  /// text is read once more up to its fault.
  private static func unreadableField(
    _ failed: JSONScanner, _ nesting: JSONNesting
  ) -> String? {
    var scanner = failed
    scanner.position = 0
    scanner.skipWhitespace()
    guard scanner.consume(0x7B) else { return nil }
    repeat {
      scanner.skipWhitespace()
      guard let key = try? scanner.key(expecting: .key) else { return nil }
      do { try scanner.skipValue(nesting, outerDepth: 1) } catch {
        return Excerpt.text(scanner, from: key.start, to: key.end)
      }
      scanner.skipWhitespace()
    } while scanner.consume(0x2C)
    return nil
  }

  private static func reason(of code: JSONError.Code) -> DeadLetterReason {
    switch code {
    case .invalidSyntax, .unexpectedEnd: .invalidJSON
    case .invalidUTF8, .loneSurrogate: .invalidUTF8
    case .tooDeep: .tooDeep
    }
  }
}

extension KnownField {
  func expectation(_ reason: DeadLetterReason) -> String {
    if reason == .badTimestamp { return EventTime.expectation }
    return acceptsInteger ? "a string or an integer" : "a string"
  }
}

extension DeclaredType {
  func expectation(_ reason: DeadLetterReason) -> String {
    switch self {
    case .string: "a string"
    case .long: "an integer of 64 bits"
    case .double: "a number in the range of a double"
    case .boolean: "true or false"
    case .timestamp: reason == .badTimestamp ? EventTime.expectation : "a string"
    }
  }
}

extension EventTime {
  fileprivate static let expectation =
    "a timestamp as \"YYYY-MM-DDTHH:MM:SS[.ffffff]\" with Z or +HH:MM"
}

/// Pieces of a record in a form that is safe to print anywhere.
private enum Excerpt {
  /// Limit on the result, not on what it shows of the record.
  private static let limit = 80

  static func text(_ scanner: JSONScanner, from start: Int, to end: Int) -> String {
    let end = min(end, scanner.count)
    guard start < end else { return "the end of the value" }
    return escaped(UnsafeBufferPointer(start: scanner.base + start, count: end - start))
  }

  /// Printable ASCII as it is but for the backslash, other bytes as `\xNN`; cut at 80 bytes.
  static func escaped(_ bytes: some Collection<UInt8>) -> String {
    var result = ""
    for byte in bytes {
      let piece = printable(byte)
      guard result.utf8.count + piece.utf8.count <= limit - 3 else { return result + "..." }
      result += piece
    }
    return result
  }

  private static func printable(_ byte: UInt8) -> String {
    switch byte {
    case 0x5C: "\\\\"
    case 0x20...0x7E: String(Unicode.Scalar(byte))
    default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
}
