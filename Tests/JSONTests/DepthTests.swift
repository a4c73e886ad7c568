import JSON
import Testing

struct DepthTests {
  private func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
    Array(String(repeating: open, count: depth).utf8)
      + Array(String(repeating: close, count: depth).utf8)
  }

  @Test func `the limit counts open containers and is inclusive`() throws {
    _ = try JSONValue.parse(nested(1024, "[", "]"))
    let error = #expect(throws: JSONError.self) { try JSONValue.parse(nested(1025, "[", "]")) }
    #expect(error?.code == .tooDeep)
    #expect(error?.byteOffset == 1024)
    #expect(skipError(nested(3, "[", "]"), maxDepth: 3) == nil)
    #expect(skipError(nested(4, "[", "]"), maxDepth: 3)?.code == .tooDeep)
  }

  @Test(arguments: [("[", "]"), (#"{"a":"#, "}"), (#"[{"a":"#, "}]")])
  func `a hundred thousand levels do not touch the stack`(_ open: String, _ close: String) {
    let inner = open.hasSuffix(":") ? "0" : ""
    let text =
      Array(String(repeating: open, count: 100_000).utf8) + Array(inner.utf8)
      + Array(String(repeating: close, count: 100_000).utf8)
    #expect(skipError(text, maxDepth: 200_000) == nil)
    #expect(skipError(text)?.code == .tooDeep)
    #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    let unclosed = Array(String(repeating: open, count: 100_000).utf8)
    #expect(skipError(unclosed, maxDepth: 200_000)?.code == .unexpectedEnd)
  }

  @Test func `an object closed as an array is refused on every level of a word of the bit stack`() {
    for depth in [1, 63, 64, 65, 128, 129] {
      var text = nested(depth, #"{"a":"#, "}")
      text.insert(UInt8(ascii: "1"), at: text.count - depth)
      #expect(skipError(text) == nil)
      text[text.count - 1] = UInt8(ascii: "]")
      #expect(skipError(text)?.expectation == .commaOrObjectEnd)
    }
  }
}
