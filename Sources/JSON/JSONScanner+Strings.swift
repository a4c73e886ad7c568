/// The slow half of strings: escapes, non-ASCII text, faults, and the last bytes of the text.
extension JSONScanner {
  /// Goes on with the string that began at `start` from the special byte at `offset`.
  @inline(never)
  public mutating func stringWithSpecials(
    from start: Int, at offset: Int
  ) throws(JSONError) -> JSONStringToken {
    var next = offset
    var isEscaped = false
    while next < count {
      switch base[next] {
      case 0x22:
        position = next + 1
        return JSONStringToken(start: start, end: next, isEscaped: isEscaped)
      case 0x5C:
        isEscaped = true
        next = try endOfEscape(at: next)
      case 0..<0x20: throw fault(.escapedControl, at: next)
      case 0x80...: next = try endOfMultibyte(at: next)
      default: next = endOfPlainRun(at: next)
      }
    }
    throw fault(.stringEnd, at: count)
  }

  private func endOfPlainRun(at offset: Int) -> Int {
    var next = offset + 1
    while next + 8 <= count {
      let specials = specials(at: next)
      if specials != 0 { return next + specials.trailingZeroBitCount >> 3 }
      next += 8
    }
    return next
  }

  /// Checks one sequence of two to four bytes by Unicode's table 3-7.
  ///
  /// No overlong forms, no surrogates, nothing above U+10FFFF. A sequence that the text cuts short
  /// is ill-formed too.
  private func endOfMultibyte(at offset: Int) throws(JSONError) -> Int {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch base[offset] {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: throw fault(.wellFormedUTF8, at: offset, code: .invalidUTF8)
    }
    let end = offset + length
    var isWellFormed = end <= count && second.contains(base[offset + 1])
    if length > 2 { isWellFormed = isWellFormed && base[offset + 2] & 0xC0 == 0x80 }
    if length > 3 { isWellFormed = isWellFormed && base[offset + 3] & 0xC0 == 0x80 }
    guard isWellFormed else { throw fault(.wellFormedUTF8, at: offset, code: .invalidUTF8) }
    return end
  }

  private func endOfEscape(at offset: Int) throws(JSONError) -> Int {
    guard offset + 1 < count else { throw fault(.escape, at: count) }
    switch base[offset + 1] {
    case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return offset + 2
    case 0x75: return try endOfUnicodeEscape(at: offset)
    default: throw fault(.escape, at: offset + 1)
    }
  }

  /// Checks that a high surrogate is followed by the escape of a low one.
  ///
  /// A text that ends before that is
  /// decided is cut short, which is not the fault of the surrogate.
  private func endOfUnicodeEscape(at offset: Int) throws(JSONError) -> Int {
    let end = offset + 6
    switch try hexadecimal(at: offset + 2) {
    case 0xD800...0xDBFF: break
    case 0xDC00...0xDFFF: throw fault(.surrogatePair, at: offset, code: .loneSurrogate)
    default: return end
    }
    guard end < count else { throw fault(.surrogatePair, at: count) }
    guard base[end] == 0x5C else {
      throw fault(.surrogatePair, at: offset, code: .loneSurrogate)
    }
    guard end + 1 < count else { throw fault(.surrogatePair, at: count) }
    guard base[end + 1] == 0x75, case 0xDC00...0xDFFF = try hexadecimal(at: end + 2) else {
      throw fault(.surrogatePair, at: offset, code: .loneSurrogate)
    }
    return end + 6
  }

  private func hexadecimal(at offset: Int) throws(JSONError) -> UInt32 {
    var value: UInt32 = 0
    for index in offset..<(offset + 4) {
      guard index < count, let digit = Self.hexadecimalValue(base[index]) else {
        throw fault(.hexDigit, at: index)
      }
      value = value << 4 | digit
    }
    return value
  }

  private static func hexadecimalValue(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x41...0x46: UInt32(byte - 0x37)
    case 0x61...0x66: UInt32(byte - 0x57)
    default: nil
    }
  }
}

extension JSONScanner {
  /// Writes the string of `token` with its escapes decoded and returns its length in bytes.
  ///
  /// `token` must come from this scanner. The decoded form is never longer than the token, so
  /// `destination` needs room for `token.count` bytes.
  public func unescape(
    _ token: JSONStringToken, into destination: UnsafeMutablePointer<UInt8>
  ) -> Int {
    var from = token.start
    var to = 0
    while from < token.end {
      guard base[from] == 0x5C else {
        destination[to] = base[from]
        from += 1
        to += 1
        continue
      }
      if base[from + 1] == 0x75 {
        to += Self.encode(unicodeEscape(at: &from), into: destination + to)
      } else {
        destination[to] = Self.simpleEscape(base[from + 1])
        from += 2
        to += 1
      }
    }
    return to
  }

  /// The scalar of the one or two `\u` escapes at `offset`, which the scan has checked.
  private func unicodeEscape(at offset: inout Int) -> UInt32 {
    let first = checkedHexadecimal(at: offset + 2)
    offset += 6
    guard first & 0xFC00 == 0xD800 else { return first }
    let second = checkedHexadecimal(at: offset + 2)
    offset += 6
    return 0x10000 + (first & 0x3FF) << 10 + second & 0x3FF
  }

  private func checkedHexadecimal(at offset: Int) -> UInt32 {
    var value: UInt32 = 0
    for index in offset..<(offset + 4) {
      value = value << 4 | (Self.hexadecimalValue(base[index]) ?? 0)
    }
    return value
  }

  private static func simpleEscape(_ byte: UInt8) -> UInt8 {
    switch byte {
    case 0x62: 0x08
    case 0x66: 0x0C
    case 0x6E: 0x0A
    case 0x72: 0x0D
    case 0x74: 0x09
    default: byte
    }
  }

  private static func encode(
    _ scalar: UInt32, into destination: UnsafeMutablePointer<UInt8>
  ) -> Int {
    func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | (scalar >> shift) & 0x3F) }
    switch scalar {
    case 0..<0x80:
      destination[0] = UInt8(scalar)
      return 1
    case 0x80..<0x800:
      destination[0] = UInt8(0xC0 | scalar >> 6)
      destination[1] = continuation(0)
      return 2
    case 0x800..<0x10000:
      destination[0] = UInt8(0xE0 | scalar >> 12)
      destination[1] = continuation(6)
      destination[2] = continuation(0)
      return 3
    default:
      destination[0] = UInt8(0xF0 | scalar >> 18)
      destination[1] = continuation(12)
      destination[2] = continuation(6)
      destination[3] = continuation(0)
      return 4
    }
  }
}
