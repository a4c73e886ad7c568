import Foundation
import JSON
import Testing

@testable import Pipeline

/// `--dump-config`: every value, and where it is from.
struct ConfigurationDumpTests {
  private let fixture: ConfigurationFixture

  init() throws { fixture = try ConfigurationFixture() }

  private func dump(_ text: String) throws -> ConfigurationDump {
    try fixture.write(Array((fixture.head + text).utf8), to: "shopmetrics.toml")
    return try ConfigurationFile.dump(
      path: fixture.file, surroundings: .init(credentialsDirectory: nil))
  }

  private static let many = """
    limits = { max_json_depth = 64, max_value = "1024KiB" }
    schedule.calendar = "Mon..Fri 08:00"
    on_failure.exec = ["/bin/sh", "-c", "echo \\"a\\u202Eb\\" \\\\ # no comment"]
    loss.on_missing_data = "continue"
    [kafka.librdkafka]
    "socket.keepalive.enable" = true
    socket.timeout.ms = 5000
    [[columns]]
    name = "campaign"
    field = "utm campaign"
    type = "string"
    [[columns]]
    name = "price"
    type = "double"

    """

  @Test func `The dump is a file with the same meaning`() throws {
    let text = try dump(Self.many).toml
    let configuration = try fixture.load(Self.many)
    #expect(try fixture.load(bytes: Array(text.utf8)) == configuration)
    #expect(configuration.columns.count == 2 && configuration.kafka.properties.count == 2)
    #expect(!text.unicodeScalars.contains("\u{202E}"))
  }

  @Test func `Each setting is there once, with the line or as a default or unset`() throws {
    let lines = try dump(Self.many).toml.split(separator: "\n")
    #expect(lines.first == "# \(fixture.file): 11 settings changed from their defaults")
    #expect(lines.contains("max_json_depth = 64  # \(fixture.file):3"))
    #expect(lines.contains("#level = \"info\"  # default"))
    #expect(lines.contains("# mirror_group is not set"))
    #expect(lines.contains("# socket is not set: \(fixture.state)/control"))
    #expect(lines.contains("\"socket.timeout.ms\" = 5000  # \(fixture.file):9"))
    #expect(lines.contains("[[columns]]  # \(fixture.file):10"))
    for setting in Schema.settings {
      let starts = ["\(setting.key) = ", "#\(setting.key) = ", "# \(setting.key) is not set"]
      let table = try #require(lines.firstIndex { $0 == "[\(setting.table)]" })
      let body = lines[(table + 1)...].prefix { !$0.hasPrefix("[") }
      let matches = body.filter { line in starts.contains(where: line.hasPrefix) }
      #expect(matches.count == 1, "\(setting.path): \(matches)")
    }
  }

  @Test func `The JSON has the same settings, in the same order`() throws {
    let text = try dump(Self.many).json
    let value = try JSONValue.parse(text)
    let json = try #require(value.objectValue)
    let settings = try #require(json["settings"]?.arrayValue).compactMap(\.objectValue)
    let keys = settings.compactMap { $0.string("key") }
    let properties = ["socket.keepalive.enable", "socket.timeout.ms"]
    #expect(keys.filter { !$0.hasPrefix("kafka.librdkafka.") } == Schema.settings.map(\.path))
    #expect(keys.filter { $0.hasPrefix("kafka.librdkafka.") }.count == properties.count)
    let depth = try #require(settings.first { $0.string("key") == "limits.max_json_depth" })
    #expect(depth.int64("value") == 64 && depth.string("origin") == "file")
    #expect(depth.int64("line") == 3)
    let group = try #require(settings.first { $0.string("key") == "kafka.mirror_group" })
    #expect(group["value"] == .null && group.string("origin") == "unset")
    #expect(json["columns"]?.arrayValue?.count == 2)
    #expect(json.int64("changed") == 11)
  }

  @Test func `Secrets are masked in both forms`() throws {
    let text = """
      on_failure.webhook = "https://hooks.example.net/canary-7319"
      [kafka.librdkafka]
      ssl.key.password = "canary-7319"

      """
    let dump = try dump(text)
    #expect(!dump.toml.contains("7319") && !dump.json.contains("7319"))
    #expect(dump.toml.contains("webhook = \"***\"  # \(fixture.file):3"))
    #expect(dump.toml.contains("\"ssl.key.password\" = \"***\""))
  }

  @Test(arguments: [
    ("", 2), ("schedule.every = \"300s\"\nlog.level = \"info\"", 2), ("log.level = \"debug\"", 3),
  ])
  func `A setting counts as changed when its value is another one`(
    text: String, count: Int
  ) throws {
    try fixture.write(Array((fixture.head + text).utf8), to: "shopmetrics.toml")
    #expect(try ConfigurationFile.check(path: fixture.file).changedSettings == count)
  }
}
