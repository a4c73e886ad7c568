import JSON
import Testing

struct SmokeTests {
  @Test func `a value is written as it was read`() throws {
    let text = #"{"a":[1,-0.50,true,null,{"b\\":"ä\n"}],"c":{},"d":[],"a":2}"#
    let value = try JSONValue.parse(text)
    #expect(value.text == text)
    #expect(value.objectValue?.int64("a") == 2)
  }
}
