import Foundation

/// The Python that has the other readers and writers: `SHOPMETRICS_PYTHON`, else the package's own
/// virtual environment.
enum Python {
  static let path: String? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../..").standardized
    let candidates: [String?] = [
      ProcessInfo.processInfo.environment["SHOPMETRICS_PYTHON"],
      root.appending(path: ".venv/bin/python").path,
    ]
    return candidates.compactMap { $0 }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// What a skipped test says.
  static let isMissing = "no Python with pyarrow: set SHOPMETRICS_PYTHON or run `make test`"

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a script of this target's `Scripts` folder and returns what it printed.
  static func run(_ script: String, _ arguments: [String]) throws -> Data {
    guard let path else { throw Failure(description: isMissing) }
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Scripts")
    let process = Process()
    process.executableURL = URL(filePath: path)
    process.arguments = [folder.appending(path: script).standardized.path] + arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(script) ended with status \(process.terminationStatus)")
    }
    return printed
  }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder: Sendable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "parquet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }
}
