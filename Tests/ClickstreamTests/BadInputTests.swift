import Clickstream
import Testing

/// The classes of bad JSON values, J1 to J18: bytes, syntax, shape and size.
struct BadInputTests {
  private let decoder = ClickEventDecoder(declaredColumns: [])
  private let sample = SampleEvent()

  private func reason(_ value: [UInt8]?) -> DeadLetterReason? { decoder.outcome(value).reason }

  private func reason(_ value: String) -> DeadLetterReason? { reason(Array(value.utf8)) }

  @Test func `a complete event is a row`() throws {
    let row = try #require(decoder.outcome(sample.bytes).row)
    #expect(row.eventID == "0b6f2c1e-8f5d-4c3a-9a70-2f6d1b7c9e11")
    #expect(row.customerID == "4711")
    #expect(row.productID == nil)
    #expect(row.eventType == "page_view")
    #expect(row.sessionID == "5e1c7a39-04d2-4b8f-a6cd-77b0e9f3d812")
    #expect(row.page == "/category/books")
    #expect(row.eventTime == SampleEvent.time)
    #expect(row.rescuedData == nil)
  }

  @Test func `J1 an empty value is invalid_json`() {
    #expect(reason([]) == .invalidJSON)
    #expect(decoder.outcome([]).detail == "byte 0: expected a JSON object, found an empty value")
    let one: [UInt8] = [0]
    one.withUnsafeBytes { bytes in
      let empty = UnsafeRawBufferPointer(rebasing: bytes[0..<0])
      #expect(decoder.decode(empty)?.reason == .invalidJSON)
    }
  }

  @Test func `J2 a tombstone is null_value`() {
    #expect(reason(nil) == .nullValue)
  }

  @Test(arguments: [" ", "\n", " \t\r\n  "])
  func `J3 white space alone is invalid_json`(_ text: String) {
    #expect(reason(text) == .invalidJSON)
  }

  @Test func `J4 a byte order mark before the object is invalid_json`() {
    #expect(reason([0xEF, 0xBB, 0xBF] + sample.bytes) == .invalidJSON)
  }

  @Test func `J5 UTF-16 and UTF-32 are invalid_json, with a mark and without`() {
    let wide: [UInt8] = sample.bytes.flatMap { [$0, 0] as [UInt8] }
    let swapped: [UInt8] = sample.bytes.flatMap { [0, $0] as [UInt8] }
    for text in [wide, swapped, [0xFF, 0xFE] + wide, [0xFE, 0xFF] + swapped] {
      #expect(reason(text) == .invalidJSON)
    }
    #expect(reason(sample.bytes.flatMap { [$0, 0, 0, 0] as [UInt8] }) == .invalidJSON)
  }

  @Test(arguments: ["page", "unused", "event_ts", "event_id"])
  func `J6 to J8 bad UTF-8, overlong forms and lone surrogates are invalid_utf8`(
    _ field: String
  ) {
    let sequences: [[UInt8]] = [
      [0xFF], [0x80], [0xC3], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
    ]
    for bad in sequences {
      #expect(reason(sample.bytes(field, [0x22] + bad + [0x22])) == .invalidUTF8)
    }
    for bad in ["\\ud800", "\\udc00", "x\\uDBFFx", "\\ud800\\ud800"] {
      #expect(reason(sample.bytes(field, Array("\"\(bad)\"".utf8))) == .invalidUTF8)
      #expect(reason(sample.adding("\"\(bad)\"", "1").text) == .invalidUTF8)
    }
    #expect(reason(sample.bytes("unused", [0x5B, 0x22, 0xFF, 0x22, 0x5D])) == .invalidUTF8)
  }

  @Test func `J9 a NUL byte is invalid_json everywhere and its escape is kept`() throws {
    #expect(reason(sample.bytes("page", [0x22, 0, 0x22])) == .invalidJSON)
    #expect(reason(sample.bytes + [0]) == .invalidJSON)
    #expect(reason([0] + sample.bytes) == .invalidJSON)
    #expect(reason(sample.bytes("unused", [0])) == .invalidJSON)
    let row = try #require(decoder.outcome(sample.with("page", "\"a\\u0000b\"").bytes).row)
    #expect(row.page == "a\u{0}b")
  }

  @Test func `J10 an event cut at any byte is invalid_json`() {
    let whole = sample.adding("\"unused\"", "[{\"a\\n\": [1.5e3, true]}, \"\\ud83d\\ude00\"]").bytes
    #expect(decoder.outcome(whole).row != nil)
    for count in 0..<whole.count {
      #expect(reason(Array(whole.prefix(count))) == .invalidJSON, "cut at \(count)")
    }
  }

  @Test func `J10 an event cut inside a character is invalid_utf8`() {
    let whole = sample.with("page", "\"/日本\"").bytes
    for count in 0..<whole.count {
      let isInside = count < whole.count && whole[count] & 0xC0 == 0x80
      #expect(reason(Array(whole.prefix(count))) == (isInside ? .invalidUTF8 : .invalidJSON))
    }
  }

  @Test func `J11 something after the object is invalid_json`() {
    for tail in ["{}", " {}", ",", "}", "]", "null", "x", "\n\(sample.text)", "//", "\u{FEFF}"] {
      #expect(reason(sample.text + tail) == .invalidJSON, "\(tail)")
    }
    #expect(decoder.outcome(" \t\r\n" + sample.text + " \t\r\n").row != nil)
  }

  @Test(arguments: SyntaxCase.all.filter { $0.verdict != .valid })
  func `J12 wrong syntax inside a complete event is refused wherever it stands`(
    _ text: SyntaxCase
  ) {
    let fault: DeadLetterReason = text.verdict == .invalidUTF8 ? .invalidUTF8 : .invalidJSON
    #expect(reason(sample.bytes("unused", text.text)) == fault)
    #expect(reason(sample.bytes + text.text) == .invalidJSON)
    #expect(reason(sample.bytes("page", text.text)) == (text.hasValueFirst ? .wrongType : fault))
  }

  @Test(arguments: SyntaxCase.all.filter { $0.verdict == .valid })
  func `every valid value of an unknown field is rescued as it was written`(
    _ text: SyntaxCase
  ) throws {
    let row = try #require(decoder.outcome(sample.bytes("unused", text.text)).row)
    let expected = Array("{\"unused\":".utf8) + text.text + Array("}".utf8)
    #expect(row.rescuedData == String(decoding: expected, as: UTF8.self))
  }

  @Test(arguments: ["[]", "\"x\"", "17", "-0.5", "null", "true", "false", " [1, 2] ", "[1,", "[["])
  func `J13 another value than an object is not_an_object`(_ text: String) {
    #expect(reason(text) == .notAnObject)
  }

  @Test(arguments: [(1023, nil), (1024, DeadLetterReason.tooDeep), (100_000, .tooDeep)])
  func `J14 and J15 nesting is counted from the event's own object`(
    _ depth: Int, _ expected: DeadLetterReason?
  ) {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let inner = open == "[" ? "" : "0"
      let value =
        String(repeating: open, count: depth) + inner + String(repeating: close, count: depth)
      #expect(reason(sample.adding("\"unused\"", value).text) == expected)
      #expect(reason(sample.adding("\"page\"", value, at: 9).text) == .wrongType)
    }
    #expect(reason(String(repeating: "[", count: depth)) == .notAnObject)
    let unclosed = String(repeating: "{\"a\":", count: depth)
    #expect(reason(unclosed) == (depth > 1024 ? .tooDeep : .invalidJSON))
  }

  @Test func `J16 and J17 long strings are kept up to the size limit`() throws {
    let long = String(repeating: "x", count: 10_000_000)
    let rescued = try #require(decoder.outcome(sample.adding("\"u\"", "\"\(long)\"").bytes).row)
    #expect(rescued.rescuedData?.utf8.count == long.utf8.count + 8)
    let escaped = try #require(decoder.outcome(sample.with("page", "\"\(long)\\n\"").bytes).row)
    #expect(escaped.page?.utf8.count == long.utf8.count + 1)
    let narrow = ClickEventDecoder(
      declaredColumns: [], limits: DecodeLimits(maxValueBytes: sample.bytes.count))
    #expect(narrow.outcome(sample.bytes).row != nil)
    #expect(narrow.outcome(sample.bytes + [0x20]).reason == .tooLarge)
    #expect(narrow.outcome(Array("x".utf8)).reason == .invalidJSON)
  }

  @Test func `J18 a hundred thousand unknown fields are rescued in order`() throws {
    let names = (0..<100_000).map { "\"k\($0 * 7919 % 100_003)\"" }
    var many = sample
    many.members += names.map { ($0, "1") }
    let row = try #require(decoder.outcome(many.bytes).row)
    #expect(row.rescuedData == "{" + names.map { "\($0):1" }.joined(separator: ",") + "}")
    #expect(decoder.outcome(sample.bytes).row?.rescuedData == nil)
  }
}
