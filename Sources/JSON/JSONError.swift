/// Why and where a text is not the JSON that was asked for.
///
/// Small enough for registers on purpose: the scanner throws it from the hot path, and the sentence
/// for people is made only when somebody reads it.
public struct JSONError: Error, Equatable, Sendable {
  /// The class of the fault; callers that sort faults into reasons look at this alone.
  public enum Code: UInt8, Equatable, Sendable {
    /// A byte that RFC 8259 does not allow at this place.
    case invalidSyntax
    /// The text ends inside a value.
    case unexpectedEnd
    /// Bytes in a string that are not well-formed UTF-8 (Unicode, table 3-7).
    case invalidUTF8
    /// A `\uD800` to `\uDFFF` escape that is not half of a pair.
    case loneSurrogate
    /// More containers open than the caller allows.
    case tooDeep
  }

  /// What the grammar allows at the place of the fault.
  public enum Expectation: UInt8, Equatable, Sendable {
    case value, key, keyOrObjectEnd, colon, commaOrObjectEnd, commaOrArrayEnd
    case endOfText, digit, numberEnd, literal, escape, hexDigit, stringEnd, escapedControl
    case wellFormedUTF8, surrogatePair, shallowerNesting
  }

  public let code: Code
  public let expectation: Expectation
  /// The byte found at `byteOffset`; nil at the end of the text.
  public let found: UInt8?
  /// Position from 0 in the text that was given.
  ///
  /// For a fault of UTF-8 the first byte of the
  /// ill-formed sequence, for a lone surrogate its backslash.
  public let byteOffset: Int

  @inlinable
  public init(
    code: Code, expectation: Expectation, found: UInt8?, byteOffset: Int
  ) {
    self.code = code
    self.expectation = expectation
    self.found = found
    self.byteOffset = byteOffset
  }

  /// "expected …, found …", without the position; safe for a terminal whatever was found.
  public var message: String {
    "expected \(expectation.text), found \(foundText)"
  }

  private var foundText: String {
    guard let found else { return "the end of the text" }
    switch found {
    case 0x21...0x7E: return "'\(Character(Unicode.Scalar(found)))'"
    default: return "byte 0x" + (found < 16 ? "0" : "") + String(found, radix: 16)
    }
  }
}

extension JSONError: CustomStringConvertible {
  public var description: String { "byte \(byteOffset): \(message)" }
}

extension JSONError.Expectation {
  /// The expectation as the object of "expected".
  public var text: String {
    switch self {
    case .value: "a JSON value"
    case .key: "a key in double quotes"
    case .keyOrObjectEnd: "a key in double quotes or '}'"
    case .colon: "':'"
    case .commaOrObjectEnd: "',' or '}'"
    case .commaOrArrayEnd: "',' or ']'"
    case .endOfText: "the end of the text"
    case .digit: "a digit"
    case .numberEnd: "the end of the number"
    case .literal: "true, false or null"
    case .escape: "one of \"\\/bfnrtu after a backslash"
    case .hexDigit: "a hexadecimal digit"
    case .stringEnd: "the closing double quote"
    case .escapedControl: "control characters as escapes"
    case .wellFormedUTF8: "well-formed UTF-8"
    case .surrogatePair: "a pair of surrogates"
    case .shallowerNesting: "fewer levels of nesting"
    }
  }
}
