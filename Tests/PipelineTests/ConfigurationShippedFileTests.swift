import Clickstream
import Foundation
import Testing

@testable import Pipeline

/// `etc/shopmetrics.toml` and shopmetrics.toml(5) against the schema, in both directions.
struct ConfigurationShippedFileTests {
  /// A key of the file with the comment lines above it.
  private struct Entry {
    let path: String
    let value: String
    /// `#key = value` is the default, `# key = value` an example, `key = value` is set.
    let isDefault: Bool
    /// The comment lines directly above, joined to one line.
    let comment: String
  }

  private let text: String
  private let manual: String

  init() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    text = try String(
      contentsOf: root.appendingPathComponent("etc/shopmetrics.toml"), encoding: .utf8)
    manual = try String(
      contentsOf: root.appendingPathComponent("deploy/man/shopmetrics.toml.5.in"),
      encoding: .utf8)
  }

  private func entries() throws -> [Entry] {
    let key = try Regex(
      #"^(# ?)?([a-z_]+) = (.+)$"#, as: (Substring, Substring?, Substring, Substring).self)
    let header = try Regex(#"^(?:# )?\[+([a-z._]+)\]+$"#, as: (Substring, Substring).self)
    var entries: [Entry] = []
    var table = ""
    var comment = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if let match = line.wholeMatch(of: header) {
        table = String(match.1)
      } else if let match = line.wholeMatch(of: key) {
        entries.append(
          Entry(
            path: "\(table).\(match.2)", value: String(match.3), isDefault: match.1 == "#",
            comment: comment))
      } else if line.hasPrefix("# ") {
        comment += (comment.isEmpty ? "" : " ") + line.dropFirst(2)
      } else if line.isEmpty {
        comment = ""
      }
    }
    return entries
  }

  private func load(_ text: String) -> (configuration: Configuration, problems: [String]) {
    let bytes = Array(text.utf8)
    var loader = ConfigurationLoader(source: SourceText(bytes))
    _ = loader.parse(bytes)
    return (loader.configuration, loader.problems.map(\.message))
  }

  @Test func `The file as it is shipped is the defaults`() {
    let (configuration, problems) = load(text)
    #expect(problems == [])
    #expect(configuration == Configuration(brokers: ["localhost:9092"]))
  }

  @Test func `The file with every default switched on is the defaults`() throws {
    let switched = text.replacing(try Regex(#"(?m)^#(?=[a-z_]+ = )"#), with: "")
    let (configuration, problems) = load(switched)
    #expect(problems == [])
    #expect(configuration == Configuration(brokers: ["localhost:9092"]))
  }

  @Test func `The file with the examples switched on as well is accepted key by key`() throws {
    let switched = text.replacing(
      try Regex(#"(?m)^# ?(?=[a-z_"][a-z_."]+ = |\[)"#), with: "")
    let (configuration, problems) = load(switched)
    #expect(problems == [])
    #expect(configuration.columns.map(\.name) == ["campaign"])
    #expect(configuration.kafka.properties.map(\.name) == ["socket.keepalive.enable"])
    #expect(configuration.kafka.security.keyCredential == "kafka-client-key")
  }

  @Test func `Every setting is in the file, in the schema's order, and nothing else is`() throws {
    let keys = Schema.settings.map(\.path) + ConfigurationLoader.columnKeys.map { "columns.\($0)" }
    #expect(try entries().map(\.path) == keys)
  }

  @Test func `The file shows the schema's defaults and marks the keys that have none`() throws {
    for entry in try entries() {
      guard let setting = Schema.setting(entry.path) else { continue }
      #expect(entry.isDefault == (setting.defaultText != nil), "\(entry.path)")
      if let defaultText = setting.defaultText {
        #expect(entry.value == defaultText, "\(entry.path)")
      }
    }
  }

  @Test func `The file says what each setting may be and what it does`() throws {
    for entry in try entries() {
      guard let setting = Schema.setting(entry.path) else { continue }
      let (_, range) = Self.split(setting.expectation)
      #expect(entry.comment.contains(range), "\(entry.path) should say: \(range)")
    }
  }

  /// Ranges and defaults of the manual are made from the schema, where a line asks for them.
  @Test func `The manual has every table in the file's order, each with its settings`() throws {
    let headings = manual.split(separator: "\n").filter { $0.hasPrefix(".Ss [") }
    let order = text.matches(of: try Regex(#"(?m)^(?:# )?(\[+[a-z._]+\]+)$"#)).map {
      ".Ss \($0.output[1].substring ?? "")"
    }
    #expect(headings.map(String.init) == order)
    #expect(Set(Schema.tables.map { "[\($0)]" }) == Set(order.map(Self.tableName)))
    for table in Set(Schema.settings.map(\.table)) {
      #expect(manual.contains("\n.Ss [\(table)]\n@SETTINGS \(table)@\n"), "\(table)")
    }
    for key in ConfigurationLoader.columnKeys { #expect(manual.contains("\n.It Sy \(key)\n")) }
  }

  @Test func `The manual speaks of no setting that does not exist`() throws {
    let names = manual.matches(of: try Regex(#"(?m)^\.Sy ([a-z_.]+)"#))
      .compactMap { $0.output[1].substring.map(String.init) }
    let known = Schema.settings.flatMap { [$0.path, String($0.key)] }
    #expect(names.count > 10 && names.filter { !known.contains($0) && $0 != "name" } == [])
  }

  private static func tableName(_ heading: String) -> String {
    heading.replacing(".Ss ", with: "").replacing("[[", with: "[").replacing("]]", with: "]")
  }

  /// The examples of a unit are at the top of the file; below each key is its range.
  private static func split(_ expectation: String) -> (examples: Substring, range: Substring) {
    for unit in ["a duration such as", "a size such as"] where expectation.hasPrefix(unit) {
      guard let range = expectation.range(of: "from ") else { continue }
      return (expectation[..<range.lowerBound], expectation[range.lowerBound...])
    }
    guard !expectation.hasPrefix("\"earliest\"") else { return ("", "\"earliest\"") }
    return ("", expectation[...])
  }
}
