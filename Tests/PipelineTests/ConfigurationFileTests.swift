import Foundation
import Testing

@testable import Pipeline

/// The file itself: what it is, whether it is TOML, and whether its keys exist.
struct ConfigurationFileTests {
  private let fixture: ConfigurationFixture

  init() throws { fixture = try ConfigurationFixture() }

  @Test func `A file that is missing, a directory or unreadable is named with the reason`() throws {
    #expect(
      fixture.problems { try load(fixture.root + "/absent") }
        == ["cannot be opened: No such file or directory"])
    #expect(
      fixture.problems { try load(fixture.root) }
        == ["not a regular file; expected a TOML file"])
    try fixture.write([], to: "closed", mode: 0)
    if geteuid() != 0 {
      #expect(
        fixture.problems { try load(fixture.root + "/closed") }
          == ["cannot be opened: Permission denied"])
    }
  }

  private func load(_ path: String) throws -> Configuration {
    try ConfigurationFile.load(path: path, surroundings: .init(credentialsDirectory: nil))
  }

  @Test func `An empty file lacks exactly what has no default`() throws {
    let problems = fixture.problems(bytes: [])
    #expect(problems.contains("kafka.brokers is required and has no default"))
  }

  @Test func `A file of two keys has the documented defaults`() throws {
    let configuration = try fixture.load("")
    var expected = Configuration(brokers: ["localhost:9092"])
    expected.storage.stateDirectory = fixture.state
    #expect(configuration == expected)
  }

  @Test func `A byte-order mark and CRLF are accepted`() throws {
    let text = "\u{FEFF}" + fixture.head.replacingOccurrences(of: "\n", with: "\r\n")
    let configuration = try fixture.load(bytes: Array(text.utf8))
    #expect(configuration.kafka.brokers == ["localhost:9092"])
  }

  @Test func `What is not UTF-8 is refused at its byte`() {
    let bytes = Array("[log]\nlevel = \"é".utf8) + [0xFF, 0x22, 0x0A]
    #expect(
      fixture.problems(bytes: bytes) == ["2:11: not UTF-8; save the file in that encoding"])
  }

  @Test func `A NUL byte is refused, because parsers stop reading there`() {
    let bytes = Array("[log]\n".utf8) + [0] + Array("level = 1".utf8)
    #expect(
      fixture.problems(bytes: bytes)
        == ["2:1: NUL byte; the file is damaged or not text"])
  }

  @Test(arguments: [
    String(repeating: "[", count: 10_000), String(repeating: "{", count: 10_000),
    "x = " + String(repeating: "[", count: 100_000),
    Array(repeating: "a", count: 300_000).joined(separator: ".") + " = 1",
    Array(repeating: "\"a\"", count: 100_000).joined(separator: " . ") + " = 1",
    "[" + Array(repeating: "a", count: 100_000).joined(separator: ".") + "]",
    String(repeating: "a = { b.c.d.e.f.g", count: 60) + " = 1",
  ])
  func `Nesting is refused before the parser can run out of stack`(text: String) {
    let problems = fixture.problems(bytes: Array(text.utf8))
    #expect(problems.count == 1)
    #expect(problems.allSatisfy { $0.hasSuffix("nested more than 16 deep; no setting is") })
  }

  @Test func `Dots and brackets in texts and comments are no nesting`() throws {
    let many = String(repeating: ".[{", count: 200)
    _ = try fixture.load(
      "kafka.client_id = \"\(many)\\\"\(many)\" # \(many)\n"
        + "kafka.librdkafka.\"client.rack\" = '''\(many)\n''\(many)'''\n")
  }

  @Test func `A file of more than 1 MiB is refused without reading it`() {
    let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: (1 << 20) + 1)
    #expect(
      fixture.problems(bytes: bytes)
        == ["1048577 bytes; a configuration file has at most 1048576"])
  }

  @Test func `A syntax error has its line, column and text`() throws {
    let problems = fixture.problems("[schedule]\nevery = \"5min\n")
    let problem = try #require(problems.first)
    #expect(problems.count == 1)
    #expect(problem.hasPrefix("4:14: Error while parsing string"), "\(problem)")
  }

  @Test(arguments: [
    "[log]\nlevel = \"info\"\nlevel = \"debug\"\n", "[log]\nlevel = \"info\"\n[log]\n",
  ])
  func `A key or table that is given twice is an error at the second`(text: String) throws {
    let problems = fixture.problems(text)
    let problem = try #require(problems.first)
    #expect(problem.hasPrefix("5:") && problem.contains("redefine"), "\(problem)")
  }

  @Test(arguments: [
    ("[kafka]\nborkers = 1", "4:1: kafka.borkers is not a setting; did you mean \"brokers\"?"),
    ("[schedule]\nevrey = 1", "4:1: schedule.evrey is not a setting; did you mean \"every\"?"),
    (
      "[storage]\nmax_value = \"1MiB\"",
      "4:1: storage.max_value is not a setting; did you mean \"limits.max_value\"?"
    ),
    ("[log]\nxyzzy = 1", "4:1: log.xyzzy is not a setting"),
    ("[limts]\nmax_value = 1", "3:2: limts is not a table; did you mean \"limits\"?"),
    ("[kafka.securty]", "3:8: kafka.securty is not a table; did you mean \"kafka.security\"?"),
    ("topic = \"x\"", "3:1: topic is not a setting; did you mean \"kafka.topic\"?"),
    ("log = \"info\"", "3:7: log is a table, written [log]"),
  ])
  func `An unknown name comes with the nearest known one`(text: String, expected: String) {
    // The head defines kafka by dotted keys, which TOML does not let a header reopen.
    let file = text + "\n"
    let bytes = Array("\n\n\(file)".utf8)
    #expect(fixture.problems(bytes: bytes).contains(expected), "\(fixture.problems(bytes: bytes))")
  }

  @Test func `All problems come at once, in the order of the file`() {
    let problems = fixture.problems(
      "[schedule]\nevery = 5\nx = 1\n[log]\nlevel = \"loud\"\n[limits]\nmax_json_depth = 0\n")
    #expect(problems.map { $0.prefix(2) } == ["4:", "5:", "7:", "9:"])
  }

  @Test func `People see the file, the line and a caret below the value`() throws {
    try fixture.write(
      Array("\(fixture.head)[schedule]\n\tevery = \"5 minutes\" # often\n".utf8),
      to: "shopmetrics.toml")
    let errors = #expect(throws: ConfigurationErrors.self) {
      try ConfigurationFile.load(path: fixture.file)
    }
    #expect(
      errors?.description == """
        \(fixture.file):4:10: error: schedule.every is "5 minutes"; expected a duration such as \
        "30s", "5min", "1h", from 1s to 7d (default "5min")
          4 |  every = "5 minutes" # often
            |          ^^^^^^^^^^^
        1 error; nothing was changed (exit status 78)

        """)
  }
}
