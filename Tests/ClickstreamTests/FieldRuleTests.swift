import Clickstream
import Testing

/// The classes of bad JSON values, J19 to J36: keys, types, times and hostile text.
struct FieldRuleTests {
  private let decoder = ClickEventDecoder(declaredColumns: [])
  private let sample = SampleEvent()

  private func reason(_ event: SampleEvent) -> DeadLetterReason? {
    decoder.outcome(event.bytes).reason
  }

  private func row(_ event: SampleEvent) throws -> Outcome.Row {
    try #require(decoder.outcome(event.bytes).row)
  }

  @Test func `J19 of a key given twice the last counts`() throws {
    #expect(try row(sample.adding("\"page\"", "\"/first\"", at: 0)).page == "/category/books")
    #expect(try row(sample.adding("\"page\"", "\"/last\"", at: 9)).page == "/last")
    #expect(try row(sample.adding("\"customer_id\"", "null", at: 9)).customerID == nil)
    #expect(reason(sample.adding("\"page\"", "null", at: 9)) == .missingField)
    #expect(reason(sample.adding("\"page\"", "5", at: 9)) == .wrongType)
    #expect(reason(sample.adding("\"event_ts\"", "\"\"", at: 9)) == .badTimestamp)
  }

  @Test func `J19 a type fault in a value that is replaced is forgotten`() throws {
    for value in ["5", "null", "[1]", "{}", "true"] {
      #expect(try row(sample.adding("\"page\"", value, at: 0)).page == "/category/books")
    }
    #expect(try row(sample.adding("\"event_ts\"", "7", at: 0)).eventTime == SampleEvent.time)
    let stillBad = sample.adding("\"page\"", "5", at: 0).adding("\"event_type\"", "6", at: 9)
    #expect(decoder.outcome(stillBad.bytes).detail.contains("field event_type"))
    #expect(reason(sample.adding("\"page\"", "\"\\ud800\"", at: 0)) == .invalidUTF8)
  }

  @Test func `J19 of an unknown key given twice the last is rescued at its place`() throws {
    let twice = sample.adding("\"a\"", "1", at: 0).adding("\"b\"", "2", at: 1)
    #expect(
      try row(twice.adding("\"\\u0061\"", "3", at: 9)).rescuedData == #"{"b":2,"\u0061":3}"#)
    var many = sample
    for number in 0..<100 { many = many.adding("\"k\(number % 40)\"", "\(number)", at: 200) }
    let kept = (60..<100).map { "\"k\($0 % 40)\":\($0)" }
    #expect(try row(many).rescuedData == "{" + kept.joined(separator: ",") + "}")
  }

  @Test func `J20 names match exactly, in their decoded form`() throws {
    let upper = sample.with("page", nil).adding("\"Page\"", "\"/x\"")
    #expect(reason(upper) == .missingField)
    #expect(try row(sample.adding("\"Page\"", "\"/x\"")).rescuedData == #"{"Page":"/x"}"#)
    for name in ["page ", " page", "pag", "pages", "event_i", "event_tz", "", "customer_ix"] {
      #expect(try row(sample.adding("\"\(name)\"", "1")).rescuedData == "{\"\(name)\":1}")
    }
    var escaped = sample
    for index in escaped.members.indices {
      let key = escaped.members[index].key.replacing("_", with: "\\u005f")
      escaped.members[index].key = key.replacing("p", with: "\\u0070")
    }
    #expect(try row(escaped) == row(sample))
  }

  @Test func `J21 missing required fields are dead and a missing customer is anonymous`() throws {
    for field in ["event_id", "event_type", "session_id", "page", "event_ts"] {
      let outcome = decoder.outcome(sample.with(field, nil).bytes)
      #expect(outcome.reason == .missingField)
      #expect(outcome.detail.contains("field \(field)"))
    }
    #expect(try row(sample.with("customer_id", nil)).customerID == nil)
    #expect(decoder.outcome("{}").reason == .missingField)
    #expect(decoder.outcome("{}").detail.contains("field event_id"))
  }

  @Test func `J22 and J23 null is the same as absent`() throws {
    let sparse = sample.with("customer_id", nil).with("product_id", nil)
    #expect(try row(sparse) == row(sample.with("customer_id", "null").with("product_id", "null")))
    for field in ["event_id", "event_type", "session_id", "page", "event_ts"] {
      #expect(reason(sample.with(field, "null")) == .missingField)
    }
  }

  @Test func `empty strings are values`() throws {
    let empty = try row(
      sample.with("customer_id", "\"\"").with("event_id", "\"\"").with("page", "\"\""))
    #expect(empty.customerID == "" && empty.eventID == "" && empty.page == "")
  }

  @Test(arguments: ["event_id", "customer_id", "product_id", "session_id"])
  func `J24 to J26 an identifier may be an integer and keeps its source text`(
    _ field: String
  ) throws {
    let integers = [
      "0", "7", "-1", "2147483647", "2147483648", "-2147483649", "9223372036854775808",
      "123456789012345678901234567890",
    ]
    for integer in integers {
      let row = try row(sample.with(field, integer))
      #expect([row.eventID, row.customerID, row.productID, row.sessionID].contains(integer))
    }
    for other in ["1.0", "1e3", "1E3", "-0", "-0.0", "1e400", "0.5", "true", "false", "[]", "{}"] {
      #expect(reason(sample.with(field, other)) == .wrongType, "\(other)")
    }
    #expect(try row(sample.with("customer_id", "\"abc\"")).customerID == "abc")
  }

  @Test func `J27 another type is wrong_type, in optional fields too`() {
    for field in ["event_type", "page"] {
      for value in ["1", "0", "-0", "true", "[]", "{}", "[\"x\"]"] {
        #expect(reason(sample.with(field, value)) == .wrongType)
      }
    }
    #expect(reason(sample.with("product_id", "[1]")) == .wrongType)
    #expect(reason(sample.with("event_ts", "true")) == .wrongType)
    #expect(reason(sample.with("event_ts", "{}")) == .wrongType)
    #expect(reason(sample.with("event_ts", "1769941230")) == .badTimestamp)
    #expect(reason(sample.with("event_ts", "1.5")) == .badTimestamp)
  }

  @Test func `J28 to J30 the form of event_ts decides between row and bad_timestamp`() throws {
    #expect(try row(sample.with("event_ts", "\"2026-02-01 10:20:30Z\"")).eventTime % 1_000_000 == 0)
    let escaped = "\"2026-02-01T10:20:30.123456\\u002b00:00\""
    #expect(try row(sample.with("event_ts", escaped)).eventTime == SampleEvent.time)
    for text in ["", "2026-02-01", "2026-02-01T10:20:30", "2026-02-30T10:20:30Z", "now"] {
      #expect(reason(sample.with("event_ts", "\"\(text)\"")) == .badTimestamp)
    }
  }

  @Test func `J31 and J32 far times and unknown event types are rows`() throws {
    let future = try row(sample.with("event_ts", "\"2999-01-01T00:00:00Z\""))
    #expect(future.eventTime > SampleEvent.time)
    #expect(try row(sample.with("event_ts", "\"0001-01-01T00:00:00Z\"")).eventTime < 0)
    #expect(try row(sample.with("event_type", "\"wishlist\"")).eventType == "wishlist")
  }

  @Test func `J33 to J35 hostile text is data in a row and escaped in a detail`() throws {
    let hostile = [
      "\\u001b[31mred\\u0007", "line\\nMESSAGE=forged", "<0>panic", "../../etc/passwd",
      "'; drop table bronze; --", "%s%n", "\u{202E}gnp.exe",
    ]
    for text in hostile {
      #expect(try row(sample.with("page", "\"\(text)\"")).page != nil)
      for event in [sample.with("event_ts", "\"\(text)\""), sample.with("page", "[\"\(text)\"]")] {
        let detail = decoder.outcome(event.bytes).detail
        #expect(detail.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(detail)")
      }
    }
    let raw: [UInt8] = [0x22, 0x1B, 0x5B, 0x33, 0x31, 0x6D, 0x0A, 0xFF, 0x22]
    let detail = decoder.outcome(sample.bytes("page", raw)).detail
    #expect(detail.utf8.allSatisfy { (0x20...0x7E).contains($0) })
    #expect(detail.contains("\\x1b[31m\\x0a\\xff"))
  }

  @Test func `J36 our own column names are rescued like any other`() throws {
    let event = sample.adding("\"kafka_offset\"", "1").adding("\"rescued_data\"", "{}", at: 4)
    #expect(try row(event).rescuedData == #"{"kafka_offset":1,"rescued_data":{}}"#)
  }

  @Test func `the first fault in byte order names the reason`() {
    let typeThenSyntax = Array(sample.with("event_id", "true").text.utf8.dropLast())
    #expect(decoder.outcome(typeThenSyntax).reason == .wrongType)
    let timeThenType = sample.with("event_ts", nil).adding("\"event_ts\"", "\"?\"", at: 0)
      .with("page", "1")
    #expect(reason(timeThenType) == .badTimestamp)
    #expect(reason(sample.with("page", "1").with("event_ts", "\"?\"")) == .wrongType)
    #expect(reason(sample.with("event_id", nil).with("page", "1")) == .wrongType)
    #expect(reason(sample.with("event_id", "null").with("event_ts", "\"?\"")) == .badTimestamp)
    #expect(reason(sample.with("page", "[\"\\ud800\"]")) == .wrongType)
    #expect(reason(sample.with("page", "01")) == .invalidJSON)
  }

  @Test(arguments: [
    (
      "page", "17",
      "field page, byte 183: expected a string, found 17"
    ),
    (
      "event_id", "1.5",
      "field event_id, byte 13: expected a string or an integer, found 1.5"
    ),
    (
      "session_id", "null",
      "field session_id, byte 135: expected a value in this required field, found null"
    ),
    (
      "page", "\"\\q\"",
      "field page, byte 185: expected one of \"\\/bfnrtu after a backslash, found 'q', "
        + "near 812\", \"page\": \"\\\\q\", \"event_ts\": \"2026-02"
    ),
  ])
  func `a detail names field, byte position, expectation and finding`(
    _ field: String, _ value: String, _ detail: String
  ) {
    #expect(decoder.outcome(sample.with(field, value).bytes).detail == detail)
  }

  @Test func `what a detail shows of a record is cut at 80 bytes`() {
    let long = "\"" + String(repeating: "\u{E9}", count: 1000) + "\""
    let detail = decoder.outcome(sample.with("event_ts", long).bytes).detail
    #expect(detail.hasSuffix("..."))
    #expect(detail.utf8.count < 80 + 130)
  }
}
