/// Strict tokens of RFC 8259 over borrowed bytes.
///
/// The scanner owns nothing and allocates nothing: a token is a range of the text. It accepts
/// exactly the grammar of RFC 8259 in UTF-8, in values that nobody uses too. The text must outlive
/// it. After a fault the scanner is of no further use.
///
/// A number or literal is a token only if a delimiter follows, so `01`, `0x10` and `trueish` are
/// faults of that token, not two tokens.
package struct JSONScanner {
  package let base: UnsafePointer<UInt8>
  package let count: Int
  /// The next byte to look at.
  package var position: Int

  @inlinable
  package init(_ base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.count = count
    self.position = 0
  }

  /// The byte at the position; nil at the end.
  @inlinable
  package var current: UInt8? { position < count ? base[position] : nil }

  /// Moves to the next byte that is not space, tab, line feed or carriage return.
  @inlinable @inline(__always)
  package mutating func skipWhitespace() {
    // One comparison for the usual case: the next token starts right here.
    while position < count, base[position] <= 0x20 {
      switch base[position] {
      case 0x20, 0x0A, 0x0D, 0x09: position += 1
      default: return
      }
    }
  }

  /// Consumes `byte` if it is next.
  @inlinable @inline(__always)
  package mutating func consume(_ byte: UInt8) -> Bool {
    guard position < count, base[position] == byte else { return false }
    position += 1
    return true
  }

  /// The fault "expected …" at the position.
  @usableFromInline @inline(never)
  package func fault(_ expectation: JSONError.Expectation) -> JSONError {
    fault(expectation, at: position)
  }

  @usableFromInline @inline(never)
  package func fault(
    _ expectation: JSONError.Expectation, at offset: Int, code: JSONError.Code = .invalidSyntax
  ) -> JSONError {
    guard offset < count else {
      return JSONError(
        code: .unexpectedEnd, expectation: expectation, found: nil, byteOffset: count)
    }
    return JSONError(
      code: code, expectation: expectation, found: base[offset], byteOffset: offset)
  }

  /// Consumes white space, then demands the end of the text.
  @inlinable
  package mutating func finish() throws(JSONError) {
    skipWhitespace()
    if position < count { throw fault(.endOfText) }
  }

  // MARK: Objects

  /// Consumes a key, the colon and the white space around it; stands at the first byte of a value
  /// (which may be the end of the text).
  @inlinable @inline(__always)
  package mutating func key(
    expecting expectation: JSONError.Expectation
  ) throws(JSONError) -> JSONStringToken {
    guard position < count, base[position] == 0x22 else { throw fault(expectation) }
    let key = try string()
    skipWhitespace()
    guard consume(0x3A) else { throw fault(.colon) }
    skipWhitespace()
    return key
  }

  // MARK: Strings

  /// Consumes the string whose opening quote is at the position.
  @inlinable @inline(__always)
  package mutating func string() throws(JSONError) -> JSONStringToken {
    let start = position + 1
    var next = start
    while next &+ 8 <= count {
      let stop = Self.firstSpecial(
        UnsafeRawPointer(base + next).loadUnaligned(as: UInt64.self).littleEndian)
      if stop < 8 {
        next &+= stop
        guard base[next] == 0x22 else { return try stringWithSpecials(from: start, at: next) }
        position = next &+ 1
        return JSONStringToken(start: start, end: next, isEscaped: false)
      }
      next &+= 8
    }
    return try stringWithSpecials(from: start, at: next)
  }

  /// The index (0 to 8) of the first quote, backslash, control or non-ASCII byte among eight.
  ///
  /// The usual SWAR tests: subtracting borrows only upwards, so the lowest hit is always true.
  @inlinable @inline(__always)
  static func firstSpecial(_ word: UInt64) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (0x22 &* ones)
    let backslash = word ^ (0x5C &* ones)
    let hit =
      ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
      | (word &- (0x20 &* ones)) | word
    return (hit & (0x80 &* ones)).trailingZeroBitCount >> 3
  }

  // MARK: Numbers and literals

  /// Consumes the number whose first byte (a digit or a minus) is at the position.
  package mutating func number() throws(JSONError) -> JSONNumberToken {
    let start = position
    let isNegative = consume(0x2D)
    let isZero = consume(0x30)
    if !isZero { try digits() }
    var isInteger = !(isZero && isNegative)
    if consume(0x2E) {
      try digits()
      isInteger = false
    }
    if consume(0x65) || consume(0x45) {
      if !consume(0x2B) { _ = consume(0x2D) }
      try digits()
      isInteger = false
    }
    guard isAtDelimiter else { throw fault(.numberEnd) }
    return JSONNumberToken(start: start, end: position, isInteger: isInteger)
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while position < count, base[position] &- 0x30 <= 9 { position += 1 }
    if position == start { throw fault(.digit) }
  }

  /// Consumes `true`, `false` or `null`, whichever `text` is.
  package mutating func literal(_ text: StaticString) throws(JSONError) {
    for index in 0..<text.utf8CodeUnitCount {
      guard consume(text.utf8Start[index]) else { throw fault(.literal) }
    }
    guard isAtDelimiter else { throw fault(.literal) }
  }

  private var isAtDelimiter: Bool {
    guard position < count else { return true }
    switch base[position] {
    case 0x2C, 0x5D, 0x7D, 0x20, 0x0A, 0x0D, 0x09: return true
    default: return false
    }
  }
}

/// A string's bytes between its quotes, checked.
package struct JSONStringToken: Equatable, Sendable {
  package let start: Int
  package let end: Int
  /// Whether there are escapes in it; if not, the bytes are the string itself.
  package let isEscaped: Bool

  @inlinable
  package init(start: Int, end: Int, isEscaped: Bool) {
    self.start = start
    self.end = end
    self.isEscaped = isEscaped
  }

  @inlinable
  package var count: Int { end - start }
}

/// A number's bytes, checked.
package struct JSONNumberToken: Equatable, Sendable {
  package let start: Int
  package let end: Int
  /// No fraction, no exponent, and not `-0` (which is not an integer's usual text).
  package let isInteger: Bool
}
