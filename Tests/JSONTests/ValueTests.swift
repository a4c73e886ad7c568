import JSON
import Testing

struct ValueTests {
  @Test func `numbers keep their text and convert only without loss`() throws {
    func number(_ text: String) throws -> JSONNumber? { try JSONValue.parse(text).numberValue }
    #expect(try number("1.50")?.text == "1.50")
    #expect(try number("9223372036854775807")?.int64 == .max)
    #expect(try number("-9223372036854775808")?.int64 == .min)
    #expect(try number("9223372036854775808")?.int64 == nil)
    #expect(try number("1.0")?.int64 == nil)
    #expect(try number("1e2")?.int64 == nil)
    #expect(try number("1e2")?.double == 100)
    #expect(try number("0.1")?.double == 0.1)
    #expect(try number("1e400")?.double == nil)
    #expect(try number("-0")?.double?.sign == .minus)
  }

  @Test func `of a key given twice the last counts and both are kept`() throws {
    let object = try #require(try JSONValue.parse(#"{"a":1,"b":"x","a":2}"#).objectValue)
    #expect(object.int64("a") == 2)
    #expect(object.members.map(\.key) == ["a", "b", "a"])
    #expect(object.text == #"{"a":1,"b":"x","a":2}"#)
  }

  @Test func `setting a key keeps its place and removes its doubles`() throws {
    var object = try #require(try JSONValue.parse(#"{"a":1,"b":2,"a":3}"#).objectValue)
    object["a"] = .string("new")
    object["c"] = .bool(true)
    #expect(object.text == #"{"a":"new","b":2,"c":true}"#)
    object["b"] = nil
    #expect(object.text == #"{"a":"new","c":true}"#)
  }

  @Test func `typed getters answer nil for other types`() throws {
    let object = try #require(
      try JSONValue.parse(#"{"s":"x","i":1,"b":true,"o":{},"a":[],"n":null}"#).objectValue)
    #expect(object.string("s") == "x" && object.string("i") == nil)
    #expect(object.int64("i") == 1 && object.int64("s") == nil)
    #expect(object.bool("b") == true && object.bool("n") == nil)
    #expect(object.object("o") == JSONObject() && object.object("a") == nil)
    #expect(object.array("a") == [] && object.array("o") == nil)
    #expect(object["n"]?.isNull == true && object["missing"] == nil)
  }

  @Test func `escapes are decoded to the scalars they stand for`() throws {
    let text = #""\"\\\/\b\f\n\r\t\u0000\u00e9\u20AC\ud83d\ude00\uffff""#
    let decoded = "\"\\/\u{8}\u{C}\n\r\t\u{0}\u{E9}\u{20AC}\u{1F600}\u{FFFF}"
    #expect(try JSONValue.parse(text).stringValue == decoded)
    for scalar: UInt32 in [0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFD] {
      let digits = String(scalar, radix: 16)
      let escape = "\"\\u" + String(repeating: "0", count: 4 - digits.count) + digits + "\""
      #expect(try JSONValue.parse(escape).stringValue?.unicodeScalars.map(\.value) == [scalar])
    }
  }

  @Test func `a special byte is found at every distance from the start and the end`() throws {
    for length in 0..<40 {
      let plain = String(repeating: "a", count: length)
      #expect(try JSONValue.parse("\"\(plain)\"").stringValue == plain)
      for place in 0..<length {
        let before = plain.prefix(place)
        let after = plain.prefix(length - place - 1)
        let escaped = try JSONValue.parse("\"\(before)\\n\(after)\"")
        #expect(escaped.stringValue == "\(before)\n\(after)")
        let accented = try JSONValue.parse("\"\(before)é\(after)\"")
        #expect(accented.stringValue == "\(before)é\(after)")
        let bad = #expect(throws: JSONError.self) {
          try JSONValue.parse("\"\(before)\u{1F}\(after)\"")
        }
        #expect(bad?.byteOffset == place + 1)
        #expect(bad?.expectation == .escapedControl)
      }
    }
  }

  @Test(arguments: [
    ("", 0, "expected a JSON value, found the end of the text"),
    ("{\"a\" 1}", 5, "expected ':', found '1'"),
    ("{\"a\":1,}", 7, "expected a key in double quotes, found '}'"),
    ("[1,2", 4, "expected ',' or ']', found the end of the text"),
    ("[1]\u{1B}", 3, "expected the end of the text, found byte 0x1b"),
    ("truth", 3, "expected true, false or null, found 't'"),
    ("01", 1, "expected the end of the number, found '1'"),
  ])
  func `an error names place, expectation and finding`(
    _ text: String, _ offset: Int, _ message: String
  ) {
    let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
    #expect(error?.byteOffset == offset)
    #expect(error?.message == message)
    #expect(error?.description == "byte \(offset): \(message)")
  }

  @Test func `the writer separates members and elements`() {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("s", "x")
    writer.field("i", 1)
    writer.field("b", true)
    writer.field("raw", raw: "[1.50]")
    writer.key("a")
    writer.beginArray()
    writer.int(Int64.min)
    writer.null()
    writer.beginObject()
    writer.endObject()
    writer.double(0.1)
    writer.double(.nan)
    writer.endArray()
    writer.endObject()
    #expect(
      writer.text
        == #"{"s":"x","i":1,"b":true,"raw":[1.50],"a":[-9223372036854775808,null,{},0.1,null]}"#)
  }

  @Test func `the writer escapes quotes, backslashes and control characters alone`() throws {
    var writer = JSONWriter()
    writer.string("\"\\/\u{8}\t\n\u{C}\r\u{0}\u{1F}\u{7F}é\u{2028}")
    #expect(writer.text == #""\"\\/\b\t\n\f\r\u0000\u001f"# + "\u{7F}é\u{2028}\"")
    let everyControl = String((0..<0x20).map { Character(Unicode.Scalar(UInt8($0))) })
    var again = JSONWriter()
    again.string(everyControl)
    #expect(try JSONValue.parse(again.bytes).stringValue == everyControl)
  }
}
