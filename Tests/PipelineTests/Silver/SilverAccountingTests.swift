import JSON
import Pipeline
import StreamCheckpoint
import Testing

@Suite struct SilverAccountingTests {
  private static let offset =
    #"{"sourceVersion":1,"reservoirId":"b","reservoirVersion":%,"index":-1,"isStartingVersion":false}"#

  private static func offset(_ version: Int) throws -> DeltaSourceOffset {
    try DeltaSourceOffset(
      json: offset.split(separator: "%").joined(separator: "\(version)"), path: "test")
  }

  private func accounting() throws -> SilverAccounting {
    SilverAccounting(
      batch: 3, start: try Self.offset(4), end: try Self.offset(6),
      rows: .init(read: 100, unique: 95, duplicates: 5),
      total: .init(read: 1000, unique: 970, duplicates: 30), nextWatermarkMs: 12,
      newestEvent: -34, parkedAfter: 56, second: nil)
  }

  @Test func `the object is the documented one`() throws {
    let start = Self.offset.split(separator: "%").joined(separator: "4")
    let end = Self.offset.split(separator: "%").joined(separator: "6")
    #expect(
      try accounting().json
        == #"{"query":"clickstream_silver","batch":3,"start":\#(start),"end":\#(end),"#
        + #""rows":{"read":100,"unique":95,"duplicates":5},"#
        + #""total":{"read":1000,"unique":970,"duplicates":30},"nextWatermarkMs":12,"#
        + #""newestEvent":-34,"parkedAfter":56}"#)
  }

  @Test func `it reads back as it was`() throws {
    var known = try accounting()
    known.second = .init(table: "clickstream_events", actions: [.object(JSONObject())])
    let object = try #require(try JSONValue.parse(known.json).objectValue)
    #expect(SilverAccounting(object) == known)
  }

  @Test(arguments: [
    "query", "batch", "start", "end", "rows", "total", "nextWatermarkMs", "newestEvent",
    "parkedAfter",
  ])
  func `a missing field is no accounting`(field: String) throws {
    var object = try #require(try JSONValue.parse(try accounting().json).objectValue)
    object.members.removeAll { $0.key == field }
    #expect(SilverAccounting(object) == nil)
  }

  @Test func `rows that do not add up are no accounting`() throws {
    var wrong = try accounting()
    wrong.rows.duplicates += 1
    let object = try #require(try JSONValue.parse(wrong.json).objectValue)
    #expect(SilverAccounting(object) == nil)
  }

  @Test func `actions for the events table of another form are no accounting`() throws {
    let text = try accounting().json.dropLast() + #","second":7}"#
    let object = try #require(try JSONValue.parse(String(text)).objectValue)
    #expect(SilverAccounting(object) == nil)
  }
}
