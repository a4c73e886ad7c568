import Clickstream
import Testing

struct EventTimeTests {
  private func parse(_ text: String) -> Int64? {
    Array(text.utf8).withUnsafeBytes { EventTime.parse($0) }
  }

  @Test(arguments: [
    ("1970-01-01T00:00:00Z", 0),
    ("1970-01-01 00:00:00Z", 0),
    ("1970-01-01T00:00:00.000001Z", 1),
    ("1970-01-01T00:00:00.0000019Z", 1),
    ("1970-01-01T00:00:00.999999999Z", 999_999),
    ("1970-01-01T00:00:00.1Z", 100_000),
    ("1970-01-01T00:00:00.12Z", 120_000),
    ("1970-01-01T00:00:00-00:00", 0),
    ("1970-01-01T05:30:00+05:30", 0),
    ("1969-12-31T12:01:00-11:59", 0),
    ("1970-01-01T23:59:00+23:59", 0),
    ("1969-12-31T23:59:59.999999Z", -1),
    ("2000-02-29T00:00:00Z", 951_782_400_000_000),
    ("2026-02-01T10:20:30.123456+00:00", SampleEvent.time),
    ("1582-10-10T00:00:00Z", -12_219_724_800_000_000),
    ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
    ("0001-01-01T01:00:00+01:00", -62_135_596_800_000_000),
    ("9999-12-31T22:59:59-01:00", 253_402_300_799_000_000),
  ])
  func `the declared form is an instant in microseconds`(_ text: String, _ expected: Int64) {
    #expect(parse(text) == expected)
  }

  @Test(arguments: [
    "", "Z", "2026-02-01", "2026-02-01T10:20:30", "2026-02-01T10:20Z", "2026-02-01T10Z",
    "2026-2-1T10:20:30Z", "26-02-01T10:20:30Z", "2026-02-01T10:20:30z", "2026-02-01t10:20:30Z",
    "2026-02-01T10:20:30 Z", " 2026-02-01T10:20:30Z", "2026-02-01T10:20:30Z ", "20260201T102030Z",
    "2026-02-01_10:20:30Z", "2026/02/01T10:20:30Z", "2026-02-01T10.20.30Z", "2026-W05-7T10:20:30Z",
    "2026-032T10:20:30.0Z", "2026-02-01T10:20:30.Z", "2026-02-01T10:20:30,5Z",
    "2026-02-01T10:20:30.1234567890Z", "2026-02-01T10:20:30.12x4Z", "2026-02-01T10:20:30.5",
    "2026-02-01T24:00:00Z", "2026-02-01T10:60:00Z", "2026-02-01T10:20:60Z", "2026-00-01T10:20:30Z",
    "2026-13-01T10:20:30Z", "2026-02-00T10:20:30Z", "2026-02-29T10:20:30Z", "2026-04-31T10:20:30Z",
    "1900-02-29T10:20:30Z", "2026-01-32T10:20:30Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
    "+2026-02-01T10:20:30Z", "-026-02-01T10:20:30Z", "2026-02-01T10:20:30+00",
    "2026-02-01T10:20:30+0000",
    "2026-02-01T10:20:30+24:00", "2026-02-01T10:20:30+00:60", "2026-02-01T10:20:30+00:0",
    "2026-02-01T10:20:30+00:000", "2026-02-01T10:20:30+0x:00", "2026-02-01T10:20:30UTC",
    "2026-02-01T10:20:30Europe/Berlin", "2026-02-01T10:20:30ZZ", "2026-02-01T10:20:30Z+00:00",
    "2026-02-01T10:20:30\u{2212}01:00", "0001-01-01T00:59:59+01:00", "9999-12-31T23:00:00-01:00",
  ])
  func `any other form or date is none`(_ text: String) {
    #expect(parse(text) == nil)
  }

  @Test func `every wrong byte at every place of a timestamp is noticed`() {
    let text = Array("2026-02-01T10:20:30.123456+00:00".utf8)
    for place in text.indices {
      for byte: UInt8 in 0...255 where byte != text[place] {
        var changed = text
        changed[place] = byte
        let isDigit = (0x30...0x39).contains(byte) && (0x30...0x39).contains(text[place])
        let isOtherForm = (place == 10 && byte == 0x20) || (place == 26 && byte == 0x2D)
        if !isDigit && !isOtherForm {
          #expect(changed.withUnsafeBytes { EventTime.parse($0) } == nil, "\(byte) at \(place)")
        }
      }
    }
  }

  @Test func `every day of four centuries is parsed and written back`() {
    let day: Int64 = 86_400_000_000
    var text = EventTime.format(-25_567 * day)
    #expect(text == "1900-01-01T00:00:00.000000Z")
    for number in -25_567..<(-25_567 + 146_097) {
      let instant = Int64(number) * day + 123_456
      text = EventTime.format(instant)
      #expect(parse(text) == instant)
    }
    #expect(text == "2299-12-31T00:00:00.123456Z")
  }

  @Test(arguments: [
    (Int64.min, "-290308-12-21T19:59:05.224192Z"),
    (Int64.max, "294247-01-10T04:00:54.775807Z"),
    (-62_135_596_800_000_001, "0000-12-31T23:59:59.999999Z"),
  ])
  func `instants outside the accepted years can still be shown`(_ value: Int64, _ text: String) {
    #expect(EventTime.format(value) == text)
  }
}
