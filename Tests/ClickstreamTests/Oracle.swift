import Clickstream
import Foundation

/// `Tests/Acceptance/oracle.py`, run once over many values.
enum Oracle {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../..").standardizedFileURL

  /// The interpreter of the tests; nil, said aloud, when there is none.
  static let python: String? = {
    let environment = ProcessInfo.processInfo.environment["SHOPMETRICS_PYTHON"]
    let path = environment ?? root.appending(path: ".venv/bin/python").path
    if FileManager.default.isExecutableFile(atPath: path) { return path }
    print("SKIPPED: the comparison with oracle.py: no Python at \(path), see SHOPMETRICS_PYTHON")
    return nil
  }()

  static func outcomes(of values: [[UInt8]?]) throws -> [Verdict] {
    let lines = values.map { $0.map { Data($0).base64EncodedString() } ?? "-" }
    let input = FileManager.default.temporaryDirectory
      .appending(path: "oracle-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: input) }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: input)
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: python ?? "")
    process.arguments = [root.appending(path: "Tests/Acceptance/oracle.py").path]
    process.standardInput = try FileHandle(forReadingFrom: input)
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus) }
    return try data.split(separator: UInt8(ascii: "\n")).map { try Verdict($0) }
  }

  struct Failure: Error { let status: Int32 }

  /// A row, or the reason why there is none.
  enum Verdict: Equatable {
    case row(Outcome.Row)
    case dead(String)

    init(_ outcome: Outcome) {
      switch outcome {
      case .row(let row): self = .row(row)
      case .dead(let reason, _): self = .dead(reason.rawValue)
      }
    }

    fileprivate init(_ line: Data) throws {
      let pair = try JSONSerialization.jsonObject(with: line) as? [Any] ?? []
      guard let row = pair.last as? [String: Any] else {
        self = .dead(pair.last as? String ?? "no verdict")
        return
      }
      self = .row(
        Outcome.Row(
          eventID: row["event_id"] as? String, customerID: row["customer_id"] as? String,
          productID: row["product_id"] as? String, eventType: row["event_type"] as? String,
          sessionID: row["session_id"] as? String, page: row["page"] as? String,
          eventTime: (row["event_ts"] as? NSNumber)?.int64Value ?? .min,
          rescuedData: row["rescued_data"] as? String, declared: []))
    }
  }
}
