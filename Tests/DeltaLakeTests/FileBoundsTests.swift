import DeltaLake
import Parquet
import Testing

struct FileBoundsTests {
  private static let second: Int64 = 1_000_000
  /// 2026-01-31T10:00:00Z.
  private static let ten: Int64 = 1_769_853_600_000_000

  private func bounds(_ low: String, _ high: String) -> ClosedRange<Int64> {
    FileBounds(
      stats: #"{"numRecords":3,"minValues":{"at":\#(low)},"maxValues":{"at":\#(high)}}"#
    ).timestamps("at")
  }

  @Test(arguments: [
    ("2026-01-31T10:00:00.000Z", ten), ("2026-01-31T10:00:00Z", ten),
    ("2026-01-31 10:00:00.5Z", ten + 500_000), ("2026-01-31T10:00:00.123456Z", ten + 123_456),
    ("2026-01-31T10:00:00.123456789Z", ten + 123_456), ("2026-01-31T11:30:00.000+01:30", ten),
    ("2026-01-31T04:00:00.000-0600", ten), ("1970-01-01T00:00:00.000Z", 0),
    ("1969-12-31T23:59:59.999Z", -1000), ("0001-01-01T00:00:00.000Z", -62_135_596_800 * second),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999_000),
    ("2000-02-29T00:00:00.000Z", 951_782_400 * second),
    ("1900-03-01T00:00:00.000Z", -2_203_891_200 * second),
  ])
  func `an instant is read as other writers state it, and the upper bound raised`(
    text: String, time: Int64
  ) {
    #expect(bounds("\"\(text)\"", "\"\(text)\"") == time...time + 999)
  }

  @Test(arguments: [
    #""2026-01-31T10:00:00.000""#, #""2026-01-31""#, #""yesterday""#, #""""#, "1769853600000",
    "null", #""2026-13-01T00:00:00Z""#, #""2026-01-31T24:00:00Z""#, #""2026-01-31T10:00:00.Z""#,
    #""2026-01-31T10:00:00Zx""#, #""2026-01-31T10:00:00+1""#, #""２026-01-31T10:00:00Z""#,
  ])
  func `what is no instant bounds nothing`(text: String) {
    #expect(bounds(text, text) == .min ... .max)
    #expect(bounds(text, #""1970-01-01T00:00:00Z""#) == .min...999)
    #expect(bounds(#""1970-01-01T00:00:00Z""#, text) == 0 ... .max)
  }

  @Test(arguments: [
    nil, "", "{", "[]", "{}", #"{"numRecords":"3"}"#, #"{"minValues":7,"maxValues":[]}"#,
    #"{"numRecords":-3,"minValues":{"at":"2026-01-31T10:00:00Z"}"#,
  ])
  func `statistics that are absent or damaged bound nothing`(stats: String?) {
    let bounds = FileBounds(stats: stats)
    #expect(bounds.rowCount == nil)
    #expect(bounds.timestamps("at") == .min ... .max)
  }

  @Test func `bounds that contradict each other bound nothing`() {
    #expect(
      bounds(#""2026-01-31T10:00:00Z""#, #""2026-01-30T10:00:00Z""#) == .min ... .max)
  }

  @Test func `what we write about a file is what we read of it`() throws {
    let folder = try TemporaryTable()
    let table = try folder.create()
    let times: [Int64] = [-1, -123_456_789_001, Self.ten + 999, Self.ten + 1]
    let file = try #require(try folder.stage(times.map { TestRow(at: $0) }, of: table).first)
    let bounds = FileBounds(stats: file.stats)
    #expect(bounds.rowCount == 4)
    #expect(bounds.timestamps("at") == -123_456_790_000...Self.ten + 999)
    #expect(bounds.timestamps("number") == .min ... .max)
    let reader = try table.openFile(file)
    let leaf = try #require(reader.leaf(ofColumn: "at"))
    #expect(reader.int64Bounds(rowGroup: 0, leaf: leaf) == -123_456_789_001...Self.ten + 999)
    let empty = try #require(reader.leaf(ofColumn: "number"))
    #expect(reader.int64Bounds(rowGroup: 0, leaf: empty) == nil)
    let text = try #require(reader.leaf(ofColumn: "name"))
    #expect(reader.int64Bounds(rowGroup: 0, leaf: text) == nil)
  }
}
