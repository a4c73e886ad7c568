import Clickstream
import Testing

@testable import Pipeline

/// Declared columns, starting offsets and librdkafka's own properties.
struct ConfigurationColumnsTests {
  private let fixture: ConfigurationFixture

  init() throws { fixture = try ConfigurationFixture() }

  @Test func `Columns are taken in the order of the file, the field being the name by default`()
    throws
  {
    let configuration = try fixture.load(
      """
      [[columns]]
      name = "zone"
      type = "long"
      [[columns]]
      name = "campaign"
      field = "utm.campaign"
      type = "string"
      """)
    #expect(
      configuration.columns == [
        DeclaredColumn(name: "zone", field: "zone", type: .long),
        DeclaredColumn(name: "campaign", field: "utm.campaign", type: .string),
      ])
  }

  @Test(arguments: [
    ("name = \"a\"\ntype = \"int\"", "5:8: columns.type is \"int\"; expected one of \"string\""),
    ("name = \"a b\"\ntype = \"long\"", "4:8: columns.name is \"a b\"; expected a column name"),
    ("name = \"1a\"\ntype = \"long\"", "4:8: columns.name is \"1a\"; expected a column name"),
    ("type = \"long\"", "3:1: columns.name is required; expected a column name"),
    ("name = \"a\"", "3:1: columns.type is required; expected one of"),
    (
      "name = \"Page\"\ntype = \"long\"",
      "4:8: columns.name is \"Page\", which Bronze has already"
    ),
    (
      "name = \"a\"\nfield = \"event_ts\"\ntype = \"long\"",
      "5:9: columns.field is \"event_ts\", which Bronze reads already"
    ),
    ("name = \"a\"\nfeild = \"b\"\ntype = \"long\"", "did you mean \"field\"?"),
    (
      "name = \"a\"\ntype = \"long\"\n[[columns]]\nname = \"A\"\nfield = \"b\"\ntype = \"long\"",
      "7:8: columns.name is \"A\", which is declared twice"
    ),
    (
      "name = \"a\"\ntype = \"long\"\n[[columns]]\nname = \"b\"\nfield = \"a\"\ntype = \"long\"",
      "8:9: columns.field is \"a\", which another column reads"
    ),
  ])
  func `A column that cannot be is refused`(entry: String, expected: String) {
    let problems = fixture.problems("[[columns]]\n\(entry)\n")
    #expect(problems.count == 1)
    #expect(problems.first?.contains(expected) == true, "\(problems)")
  }

  @Test func `Columns that are no list of tables are refused`() {
    #expect(
      fixture.problems("columns = 1") == [
        "3:11: columns is a list of tables, each written [[columns]]"
      ])
    #expect(
      fixture.problems("columns = [1]") == ["3:12: a column is a table, written [[columns]]"])
  }

  @Test(arguments: [
    ("\"latest\"", StartingOffsets.latest),
    ("\"1970-01-01T00:00:01Z\"", .timestamp(milliseconds: 1000)),
    ("\"1970-01-01T01:00:00.0001+01:00\"", .timestamp(milliseconds: 1)),
    ("1970-01-01T00:00:01Z", .timestamp(milliseconds: 1000)),
    ("'{\"clickstream-events\":{\"0\":12,\"2\":-2,\"1\":-1}}'", .offsets([0: 12, 1: -1, 2: -2])),
  ])
  func `The start is a word, a time or offsets`(text: String, expected: StartingOffsets) throws {
    let configuration = try fixture.load("kafka.starting_offsets = \(text)\n")
    #expect(configuration.kafka.startingOffsets == expected)
  }

  @Test(arguments: [
    "\"2026-01-31\"", "\"1969-12-31T23:59:59Z\"", "1970-01-01T00:00:01", "'{\"t\":{}}'", "'{}'",
    "'{\"t\":{\"0\":-3}}'", "'{\"t\":{\"-1\":0}}'", "'{\"t\":{\"00\":0}}'", "'{\"t\":{\"0\":1.0}}'",
    "'{\"t\":{\"0\":1},\"u\":{\"0\":1}}'", "'{\"t\":{\"0\":1,\"0\":2}}'", "'{\"t\"'",
  ])
  func `Any other start is refused`(text: String) {
    let problems = fixture.problems("kafka.starting_offsets = \(text)\n")
    #expect(problems.count == 1)
    #expect(problems.first?.hasPrefix("3:26: kafka.starting_offsets is ") == true, "\(problems)")
  }

  @Test func `Properties of librdkafka are passed on as the library wants them`() throws {
    let configuration = try fixture.load(
      """
      kafka.librdkafka."socket.keepalive.enable" = true
      kafka.librdkafka.fetch.wait.max.ms = 100
      kafka.librdkafka."client.rack" = "a"
      """)
    #expect(
      configuration.kafka.properties == [
        LibrdkafkaProperty(name: "socket.keepalive.enable", value: "true"),
        LibrdkafkaProperty(name: "fetch.wait.max.ms", value: "100"),
        LibrdkafkaProperty(name: "client.rack", value: "a"),
      ])
  }

  @Test(arguments: [
    ("\"enable.auto.commit\" = true", "is owned by this program"),
    ("auto.offset.reset = \"latest\"", "is owned by this program"),
    ("check.crcs = false", "is owned by this program"),
    ("isolation.level = \"read_uncommitted\"", "is owned by this program"),
    ("bootstrap.servers = \"a:1\"", "has a key of its own: kafka.brokers"),
    ("sasl.password = \"canary\"", "has a key of its own: kafka.security.password_credential"),
    ("socket.keepalive.enabled = true", "socket.keepalive.enabled"),
    ("fetch.wait.max.ms = \"soon\"", "fetch.wait.max.ms"),
    ("client.rack = [1]", "takes a text, a number, true or false"),
    ("client.rack = \"a\\u0000b\"", "holds a NUL character"),
  ])
  func `A property that is owned, unknown or wrong is refused`(line: String, reason: String) {
    let problems = fixture.problems("kafka.librdkafka.\(line)\n")
    #expect(problems.count == 1)
    #expect(problems.first?.contains(reason) == true, "\(problems)")
    #expect(problems.first?.hasPrefix("3:") == true, "\(problems)")
  }

  @Test func `Offsets for another topic are refused`() {
    #expect(
      fixture.problems("kafka.starting_offsets = '{\"other\":{\"0\":1}}'\n") == [
        "3:26: kafka.starting_offsets is for the topic \"other\"; expected \"clickstream-events\""
      ])
  }
}
