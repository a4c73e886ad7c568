import Testing

@testable import DeltaLake
@testable import Parquet

struct StatisticsTests {
  private func json(_ type: DataType, _ low: StatisticsValue?, _ high: StatisticsValue?) -> String {
    DeltaStatistics.json(
      schema: StructType([StructField("c", type)]), rowCount: 3,
      [ColumnStatistics(nullCount: 1, min: low, max: high)])
  }

  private func bounds(_ low: String, _ high: String) -> String {
    #"{"numRecords":3,"minValues":{"c":\#(low)},"maxValues":{"c":\#(high)},"nullCount":{"c":1}}"#
  }

  private let noBounds = #"{"numRecords":3,"minValues":{},"maxValues":{},"nullCount":{"c":1}}"#

  @Test func `bounds are written as Spark writes them`() {
    #expect(json(.long, .int64(-5), .int64(7)) == bounds("-5", "7"))
    #expect(json(.integer, .int32(0), .int32(1)) == bounds("0", "1"))
    #expect(json(.double, .double(-0.0), .double(1.5)) == bounds("-0.0", "1.5"))
    #expect(json(.date, .int32(0), .int32(20_454)) == bounds(#""1970-01-01""#, #""2026-01-01""#))
    let amount = DataType.decimal(precision: 10, scale: 2)
    #expect(json(amount, .int64(-5), .int64(1230)) == bounds("-0.05", "12.30"))
    #expect(
      json(.string, .bytes(Array("a\"".utf8)), .bytes(Array("ü".utf8)))
        == bounds(#""a\"""#, #""ü""#))
  }

  @Test func `instants are cut to milliseconds, downwards before 1970 too`() {
    #expect(
      json(.timestamp, .int64(-1), .int64(1_767_323_045_678_999))
        == bounds(#""1969-12-31T23:59:59.999Z""#, #""2026-01-02T03:04:05.678Z""#))
  }

  @Test func `what readers cannot use is left out`() {
    #expect(json(.boolean, .boolean(false), .boolean(true)) == noBounds)
    #expect(json(.binary, .bytes([1]), .bytes([2])) == noBounds)
    #expect(json(.double, .double(.nan), .double(.nan)) == noBounds)
    #expect(json(.double, .double(-.infinity), .double(.infinity)) == noBounds)
    #expect(json(.long, nil, nil) == noBounds)
    #expect(json(.timestamp, .int64(.min), .int64(.max)) == noBounds)
    #expect(json(.date, .int32(.min), .int32(.max)) == noBounds)
  }

  @Test(arguments: [
    ("abc", "abc"), (String(repeating: "z", count: 32), String(repeating: "z", count: 32)),
    (String(repeating: "z", count: 40), String(repeating: "z", count: 32) + "\u{7F}"),
    (
      String(repeating: "a", count: 32) + "\u{7F}",
      String(repeating: "a", count: 32) + "\u{10FFFF}"
    ),
    (
      String(repeating: "a", count: 32) + "\u{10FFFF}b",
      String(repeating: "a", count: 32) + "\u{10FFFF}\u{7F}"
    ),
    (
      String(repeating: "a", count: 31) + "\u{1F600}bc",
      String(repeating: "a", count: 31) + "\u{1F600}\u{7F}"
    ),
    (
      String(repeating: "a", count: 32) + "\u{10FFFF}",
      String(repeating: "a", count: 32) + "\u{10FFFF}"
    ),
  ])
  func `a long upper bound is cut and raised`(text: String, bound: String) {
    #expect(StatisticsText.maximum(of: Array(text.utf8)) == bound)
  }

  @Test func `an upper bound that cannot be raised is left out`() {
    let text = String(repeating: "\u{10FFFF}", count: 60)
    #expect(StatisticsText.maximum(of: Array(text.utf8)) == nil)
  }

  @Test func `bounds of random strings hold in the order of their bytes`() {
    var generator = SystemRandomNumberGenerator()
    let alphabet: [Unicode.Scalar] = ["a", "z", "\u{7E}", "\u{7F}", "ü", "\u{FFFD}", "\u{10FFFF}"]
    for _ in 0..<2000 {
      var scalars = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...90, using: &generator) {
        scalars.append(alphabet.randomElement(using: &generator) ?? "a")
      }
      let bytes = Array(String(scalars).utf8)
      let low = Array(StatisticsText.minimum(of: bytes).utf8)
      #expect(!bytes.lexicographicallyPrecedes(low))
      if let high = StatisticsText.maximum(of: bytes) {
        #expect(!Array(high.utf8).lexicographicallyPrecedes(bytes))
        #expect(high.utf16.count <= 67)
      }
    }
  }

  @Test func `a lower bound is the first 32 characters`() {
    let text = String(repeating: "\u{1F600}", count: 40)
    #expect(
      StatisticsText.minimum(of: Array(text.utf8)) == String(repeating: "\u{1F600}", count: 32))
  }

  @Test func `only the first 32 leaves have statistics, and structs mirror their nesting`() {
    let inner = StructType([StructField("x", .long), StructField("f", .boolean)])
    let list = DataType.array(element: .long, containsNull: true)
    let fields =
      [StructField("s", .structure(inner)), StructField("l", list)]
      + (0..<40).map { StructField("c\($0)", .long) }
    let one = ColumnStatistics(nullCount: 0, min: .int64(1), max: .int64(2))
    let text = DeltaStatistics.json(
      schema: StructType(fields), rowCount: 9, Array(repeating: one, count: 43))
    #expect(text.contains(#""minValues":{"s":{"x":1},"c0":1,"#))
    #expect(text.contains(#""nullCount":{"s":{"x":0,"f":0},"c0":0,"#))
    #expect(text.contains(#""c28":"#))
    #expect(!text.contains(#""c29":"#))
  }

  @Test(arguments: [
    (-719_162, "0001-01-01"), (-1, "1969-12-31"), (59, "1970-03-01"), (11_016, "2000-02-29"),
    (2_932_896, "9999-12-31"), (-25_509, "1900-02-28"), (-25_508, "1900-03-01"),
  ])
  func `dates are of the Gregorian calendar`(days: Int64, text: String) {
    #expect(StatisticsText.date(daysSinceEpoch: days) == text)
  }
}
