import Clickstream
import Testing

struct DeclaredColumnTests {
  private let decoder = ClickEventDecoder(declaredColumns: [
    DeclaredColumn(name: "referrer", field: "ref", type: .string),
    DeclaredColumn(name: "quantity", field: "qty", type: .long),
    DeclaredColumn(name: "price", field: "price", type: .double),
    DeclaredColumn(name: "beta", field: "is_beta", type: .boolean),
    DeclaredColumn(name: "shipped", field: "shipped_at", type: .timestamp),
  ])
  private let sample = SampleEvent()

  private func outcome(_ field: String, _ value: String) -> Outcome {
    decoder.outcome(sample.adding("\"\(field)\"", value).bytes)
  }

  @Test func `declared fields are values in the order of the declaration and not rescued`() throws {
    let event = sample.adding("\"qty\"", "3").adding("\"ref\"", "\"mail\"", at: 0)
      .adding("\"other\"", "1", at: 9).adding("\"is_beta\"", "true", at: 9)
    let row = try #require(decoder.outcome(event.bytes).row)
    #expect(row.declared == ["string mail", "long 3", "null", "boolean true", "null"])
    #expect(row.rescuedData == #"{"other":1}"#)
    #expect(decoder.outcome(sample.bytes).row?.declared == Array(repeating: "null", count: 5))
  }

  @Test(arguments: [
    ("ref", "\"\"", "string "), ("ref", "\"a\\nb\"", "string a\nb"), ("ref", "null", "null"),
    ("qty", "0", "long 0"), ("qty", "-9223372036854775808", "long -9223372036854775808"),
    ("qty", "9223372036854775807", "long 9223372036854775807"), ("qty", "null", "null"),
    ("price", "1", "double 1.0"), ("price", "0.1", "double 0.1"), ("price", "-0", "double -0.0"),
    ("price", "12345678901234567890", "double 1.2345678901234567e+19"),
    ("price", "4.9406564584124654e-324", "double 5e-324"), ("price", "1e-400", "double 0.0"),
    ("is_beta", "false", "boolean false"),
    ("shipped_at", "\"2026-02-01T00:00:00Z\"", "timestamp 2026-02-01T00:00:00.000000Z"),
  ])
  func `each type takes its JSON values`(
    _ field: String, _ value: String, _ expected: String
  ) throws {
    let row = try #require(outcome(field, value).row)
    #expect(row.declared.filter { $0 != "null" } == (expected == "null" ? [] : [expected]))
  }

  @Test(arguments: [
    ("ref", "1"), ("ref", "true"), ("ref", "[]"), ("ref", "{}"),
    ("qty", "1.0"), ("qty", "1e3"), ("qty", "-0"), ("qty", "9223372036854775808"),
    ("qty", "-9223372036854775809"), ("qty", "99999999999999999999"), ("qty", "\"1\""),
    ("price", "1e400"), ("price", "-1e400"), ("price", "\"1.0\""), ("price", "true"),
    ("is_beta", "0"), ("is_beta", "\"true\""), ("shipped_at", "true"), ("shipped_at", "[1]"),
  ])
  func `another type is wrong_type and names the field`(_ field: String, _ value: String) {
    let outcome = outcome(field, value)
    #expect(outcome.reason == .wrongType)
    #expect(outcome.detail.hasPrefix("field \(field), byte "))
  }

  @Test func `a declared timestamp in another form is bad_timestamp`() {
    #expect(outcome("shipped_at", "\"yesterday\"").reason == .badTimestamp)
    #expect(outcome("shipped_at", "1769941230").reason == .badTimestamp)
  }

  @Test func `of a declared field given twice the last counts`() throws {
    let event = sample.adding("\"qty\"", "\"x\"", at: 0).adding("\"q\\u0074y\"", "4", at: 9)
    #expect(decoder.outcome(event.bytes).row?.declared[1] == "long 4")
    let undone = sample.adding("\"qty\"", "4", at: 0).adding("\"qty\"", "null", at: 9)
    #expect(decoder.outcome(undone.bytes).row?.declared[1] == "null")
  }

  @Test func `a value of the last record is never seen in the next`() throws {
    #expect(outcome("qty", "7").row?.declared[1] == "long 7")
    #expect(outcome("price", "7").row?.declared[1] == "null")
    #expect(decoder.outcome("{").reason == .invalidJSON)
    #expect(decoder.outcome(sample.bytes).row?.declared[1] == "null")
  }
}
