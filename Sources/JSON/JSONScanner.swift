/// Strict tokens of RFC 8259 over borrowed bytes.
///
/// The scanner owns nothing and allocates nothing: a token is a range of the text. It accepts
/// exactly the grammar of RFC 8259 in UTF-8, in values that nobody uses too. The text must outlive
/// it. After a fault the scanner is of no further use.
///
/// A number or literal is a token only if a delimiter follows, so `01`, `0x10` and `trueish` are
/// faults of that token, not two tokens.
///
/// `public` although no product exports it: the compiler does not inline `package` declarations
/// into other modules, and a call for each byte class would double the time of an event.
public struct JSONScanner {
  public let base: UnsafePointer<UInt8>
  public let count: Int
  /// The next byte to look at.
  public var position: Int

  @inlinable
  public init(_ base: UnsafePointer<UInt8>, count: Int) {
    self.base = base
    self.count = count
    self.position = 0
  }

  /// The byte at the position; nil at the end.
  @inlinable
  public var current: UInt8? { position < count ? base[position] : nil }

  /// Moves to the next byte that is not space, tab, line feed or carriage return.
  @inlinable @inline(__always)
  public mutating func skipWhitespace() {
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
  public mutating func consume(_ byte: UInt8) -> Bool {
    guard position < count, base[position] == byte else { return false }
    position += 1
    return true
  }

  /// The fault "expected …" at the position.
  @inline(never)
  public func fault(_ expectation: JSONError.Expectation) -> JSONError {
    fault(expectation, at: position)
  }

  @inline(never)
  public func fault(
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
  public mutating func finish() throws(JSONError) {
    skipWhitespace()
    if position < count { throw fault(.endOfText) }
  }

  // MARK: Objects

  /// Consumes a key, the colon and the white space around it; stands at the first byte of a value
  /// (which may be the end of the text).
  @inlinable @inline(__always)
  public mutating func key(
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
  public mutating func string() throws(JSONError) -> JSONStringToken {
    let start = position &+ 1
    var next = start
    while next &+ 8 <= count {
      let specials = specials(at: next)
      if specials == 0 {
        next &+= 8
        continue
      }
      next &+= specials.trailingZeroBitCount >> 3
      guard base[next] == 0x22 else { break }
      position = next &+ 1
      return JSONStringToken(start: start, end: next, isEscaped: false)
    }
    return try stringWithSpecials(from: start, at: next)
  }

  /// Looks at eight bytes at once for a quote, backslash, control or non-ASCII byte: the lowest bit
  /// that is set is the top bit of the first such byte.
  ///
  /// The usual SWAR tests: subtracting borrows only upwards, so the lowest hit is always true.
  @inlinable @inline(__always)
  public func specials(at offset: Int) -> UInt64 {
    let word = UnsafeRawPointer(base + offset).loadUnaligned(as: UInt64.self).littleEndian
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (0x22 &* ones)
    let backslash = word ^ (0x5C &* ones)
    return
      (((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
      | (word &- (0x20 &* ones)) | word) & (0x80 &* ones)
  }

  // MARK: Numbers and literals

  /// Consumes the number whose first byte (a digit or a minus) is at the position.
  @inlinable @inline(__always)
  public mutating func number() throws(JSONError) -> JSONNumberToken {
    // Nearly all numbers are a few digits and a comma.
    if base[position] &- 0x31 <= 8 {
      var next = position &+ 1
      while next < count, base[next] &- 0x30 <= 9 { next &+= 1 }
      if next < count, base[next] == 0x2C || base[next] == 0x7D {
        defer { position = next }
        return JSONNumberToken(start: position, end: next, isInteger: true)
      }
    }
    return try anyNumber()
  }

  @inline(never)
  public mutating func anyNumber() throws(JSONError) -> JSONNumberToken {
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
  public mutating func literal(_ text: StaticString) throws(JSONError) {
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
public struct JSONStringToken: Equatable, Sendable {
  public let start: Int
  public let end: Int
  /// Whether there are escapes in it; if not, the bytes are the string itself.
  public let isEscaped: Bool

  @inlinable
  public init(start: Int, end: Int, isEscaped: Bool) {
    self.start = start
    self.end = end
    self.isEscaped = isEscaped
  }

  @inlinable
  public var count: Int { end - start }
}

/// A number's bytes, checked.
public struct JSONNumberToken: Equatable, Sendable {
  public let start: Int
  public let end: Int
  /// No fraction, no exponent, and not `-0` (which is not an integer's usual text).
  public let isInteger: Bool

  @inlinable
  public init(start: Int, end: Int, isInteger: Bool) {
    self.start = start
    self.end = end
    self.isInteger = isInteger
  }
}
