import Foundation
import Testing

/// One named case of Tests/Acceptance/hostile_cases.py, being served.
struct HostileCase: Decodable, Sendable, CustomTestStringConvertible {
  var name: String
  var bootstrap: String
  /// "read", "refused", "stalled" or "aborts".
  var outcome: String
  var offsets: [Int64]
  var start: Int64?

  var testDescription: String { name }
}

/// The program hostile_broker.py, which serves all cases until this process ends.
final class HostileBroker: Sendable {
  /// Nil without a Python, and when the program did not start.
  static let shared: HostileBroker? = {
    guard let python else { return nil }
    do {
      return try HostileBroker(python: python)
    } catch {
      print("the hostile broker did not start: \(error)")
      return nil
    }
  }()

  let cases: [HostileCase]
  /// Its other end is the program's standard input: it ends with this process.
  private let input = Pipe()

  static let topic = "clickstream-events"

  /// `SHOPMETRICS_PYTHON`, else the package's own environment; nil (and said so) without one.
  static let python: String? = {
    let path =
      ProcessInfo.processInfo.environment["SHOPMETRICS_PYTHON"] ?? root + "/.venv/bin/python"
    if FileManager.default.isExecutableFile(atPath: path) { return path }
    print("SKIPPED: the hostile broker: no Python at \(path), see SHOPMETRICS_PYTHON")
    return nil
  }()

  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private init(python: String) throws {
    let output = Pipe()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [
      Self.root + "/Tests/Acceptance/hostile_broker.py", "all", "--topic", Self.topic, "--json",
    ]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    cases = try Self.lines(of: output.fileHandleForReading).map {
      try JSONDecoder().decode(HostileCase.self, from: Data($0.utf8))
    }
  }

  subscript(name: String) -> HostileCase? { cases.first { $0.name == name } }

  /// Up to the line "ready", or to the end.
  private static func lines(of handle: FileHandle) throws -> [String] {
    var text = ""
    while !text.hasSuffix("ready\n"), case let data = handle.availableData, !data.isEmpty {
      text += String(decoding: data, as: UTF8.self)
    }
    return text.split(separator: "\n").map(String.init).filter { $0 != "ready" }
  }
}
