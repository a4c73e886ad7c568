import JSON
import Testing

struct SyntaxTests {
  private static let valid = SyntaxCase.all.filter { $0.verdict == .valid }
  private static let invalid = SyntaxCase.all.filter { $0.verdict != .valid }

  @Test func `the list of cases is there`() {
    #expect(Self.valid.count > 70)
    #expect(Self.invalid.count > 200)
  }

  @Test(arguments: valid)
  func `a valid text is accepted, alone and deep inside`(_ text: SyntaxCase) throws {
    let value = try JSONValue.parse(text.text)
    let inside = try JSONValue.parse(
      Array(#" [ {"a" : "#.utf8) + text.text + Array(" } ] ".utf8))
    #expect(inside.arrayValue?.first?.objectValue?["a"] == value)
    #expect(try JSONValue.parse(value.text) == value)
  }

  @Test(arguments: invalid)
  func `a wrong text is refused, alone and deep inside`(_ text: SyntaxCase) {
    let around: [(String, String)] = [("", ""), ("[", "]"), (#"{"a":"#, #","b":1}"#)]
    for (before, after) in around {
      let whole = Array(before.utf8) + text.text + Array(after.utf8)
      let error = #expect(throws: JSONError.self) { try JSONValue.parse(whole) }
      let isUTF8 = error?.code == .invalidUTF8 || error?.code == .loneSurrogate
      #expect(isUTF8 == (text.verdict == .invalidUTF8), "\(whole): \(error as Any)")
      #expect((0...whole.count).contains(error?.byteOffset ?? -1))
      expectSkipperAgrees(whole, error)
    }
  }

  @Test(arguments: valid)
  func `the scanner that skips accepts what the tree accepts`(_ text: SyntaxCase) {
    expectSkipperAgrees(text.text, nil)
  }

  private func expectSkipperAgrees(_ text: [UInt8], _ expected: JSONError?) {
    let error = skipError(text)
    #expect(error == expected)
  }
}

/// What the scanner says of a text when it only skips it.
func skipError(_ text: [UInt8], maxDepth: Int = 1024) -> JSONError? {
  text.withUnsafeBufferPointer { buffer in
    // An empty array may have no address; one byte before its end is never read.
    guard let base = buffer.baseAddress, !buffer.isEmpty else {
      return JSONError(code: .unexpectedEnd, expectation: .value, found: nil, byteOffset: 0)
    }
    var scanner = JSONScanner(base, count: buffer.count)
    do throws(JSONError) {
      scanner.skipWhitespace()
      try scanner.skipValue(JSONNesting(maxDepth: maxDepth), outerDepth: 0)
      try scanner.finish()
      return nil
    } catch {
      return error
    }
  }
}
