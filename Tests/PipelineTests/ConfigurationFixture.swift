import Foundation

@testable import Pipeline

/// A directory of its own for one test, with a usable state directory and a file to load.
final class ConfigurationFixture {
  let root: String
  var state: String { root + "/state" }
  var file: String { root + "/shopmetrics.toml" }

  init() throws {
    let name = "shopmetrics-configuration-" + UUID().uuidString
    let resolved = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
    root = resolved + "/" + name
    try makeDirectory("state")
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  func makeDirectory(_ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: "\(root)/\(path)", withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o750])
  }

  func write(_ bytes: [UInt8], to path: String, mode: Int = 0o640) throws {
    let place = "\(root)/\(path)"
    try Data(bytes).write(to: URL(fileURLWithPath: place))
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place)
  }

  /// Loads a file with these bytes and nothing else.
  func load(
    bytes: [UInt8], mode: Int = 0o640, credentials: String? = nil
  ) throws -> Configuration {
    try write(bytes, to: "shopmetrics.toml", mode: mode)
    return try ConfigurationFile.load(
      path: file, surroundings: .init(credentialsDirectory: credentials))
  }

  /// Loads `[kafka] brokers` and the state directory, then `text`.
  func load(
    _ text: String, mode: Int = 0o640, credentials: String? = nil
  ) throws -> Configuration {
    try load(bytes: Array((head + text).utf8), mode: mode, credentials: credentials)
  }

  /// Two lines, so that the text of a test begins on line 3.
  var head: String {
    "kafka.brokers = [\"localhost:9092\"]\nstorage.state_directory = \"\(state)\"\n"
  }

  /// The problems of a file of the head and `text`; empty when it loads.
  func problems(_ text: String, mode: Int = 0o640, credentials: String? = nil) -> [String] {
    problems { try load(text, mode: mode, credentials: credentials) }
  }

  func problems(bytes: [UInt8]) -> [String] { problems { try load(bytes: bytes) } }

  /// Each problem as `line:column: message`, or the message alone.
  func problems(_ load: () throws -> Configuration) -> [String] {
    do {
      _ = try load()
      return []
    } catch let errors as ConfigurationErrors {
      return errors.problems.map { problem in
        (problem.place.map { "\($0.line):\($0.column): " } ?? "") + problem.message
      }
    } catch {
      return ["\(error)"]
    }
  }
}
