import Foundation

/// A Python with the other readers and writers of Delta tables.
enum PythonProgram {
  /// `SHOPMETRICS_PYTHON`, else the package's own virtual environment; nil when neither is there.
  static let path: String? = {
    if let path = ProcessInfo.processInfo.environment["SHOPMETRICS_PYTHON"] { return path }
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { root.deleteLastPathComponent() }
    let own = root.appendingPathComponent(".venv/bin/python").path
    return FileManager.default.isExecutableFile(atPath: own) ? own : nil
  }()

  struct Failed: Error, CustomStringConvertible {
    let description: String
  }

  /// Runs a script with one argument and returns the lines that it printed.
  static func lines(of script: String, _ argument: String) throws -> [String] {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path ?? "python3")
    process.arguments = ["-c", script, argument]
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let lines = output.fileHandleForReading.readDataToEndOfFile()
    let complaint = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failed(description: String(decoding: complaint, as: UTF8.self))
    }
    return String(decoding: lines, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
