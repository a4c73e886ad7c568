import JSON
import Kafka
import Pipeline
import Testing

@Suite struct BatchAccountingTests {
  private let accounting = BatchAccounting(
    query: "clickstream_bronze", batch: 12, topic: "clickstream-events", valueBytes: 4711,
    partitions: [
      0: PartitionAccount(
        start: 100, end: 200, good: 98, dead: 1, absent: 1,
        total: .init(start: 0, good: 190, dead: 6, absent: 4),
        newest: RecordProof(offset: 198, hash: 0xab))
    ],
    second: .init(
      table: "clickstream_dead_letter",
      actions: [.object(JSONObject(members: [("txn", .object(JSONObject()))]))]))

  @Test func `the object is the documented one`() {
    #expect(
      accounting.json
        == #"{"query":"clickstream_bronze","batch":12,"topic":"clickstream-events","#
        + #""valueBytes":4711,"partitions":{"0":{"start":100,"end":200,"good":98,"dead":1,"#
        + #""absent":1,"total":{"start":0,"good":190,"dead":6,"absent":4},"#
        + #""newest":{"offset":198,"hash":"ab"}}},"#
        + #""second":{"table":"clickstream_dead_letter","actions":[{"txn":{}}]}}"#)
  }

  @Test func `it reads back as it was`() throws {
    let object = try #require(try JSONValue.parse(accounting.json).objectValue)
    #expect(BatchAccounting(object) == accounting)
    #expect(accounting.partitions[0]?.total.end == 200)
  }

  @Test(arguments: ["query", "batch", "topic", "valueBytes", "partitions"])
  func `a missing field is no accounting`(field: String) throws {
    var object = try #require(try JSONValue.parse(accounting.json).objectValue)
    object.members.removeAll { $0.key == field }
    #expect(BatchAccounting(object) == nil)
  }

  @Test(arguments: ["start", "end", "good", "dead", "absent", "total"])
  func `a partition without a count is no accounting`(field: String) throws {
    let text = accounting.json.replacing("\"\(field)\":", with: "\"x\":")
    let object = try #require(try JSONValue.parse(text).objectValue)
    #expect(BatchAccounting(object) == nil)
  }

  @Test(arguments: [#""offset":-1"#, #""offset":"198""#, #""hash":"no""#, #""hash":1"#])
  func `a damaged proof is no accounting`(member: String) throws {
    let isOffset = member.hasPrefix(#""offset""#)
    let text = accounting.json.replacing(
      isOffset ? #""offset":198"# : #""hash":"ab""#, with: member)
    let object = try #require(try JSONValue.parse(text).objectValue)
    #expect(BatchAccounting(object) == nil)
  }
}

extension String {
  fileprivate func replacing(_ part: String, with other: String) -> String {
    split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
  }
}
