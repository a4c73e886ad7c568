import Foundation

/// One line of `Tests/Acceptance/json-cases.txt`.
struct SyntaxCase: Sendable, CustomStringConvertible {
  enum Verdict { case valid, invalidJSON, invalidUTF8 }

  let verdict: Verdict
  /// A complete value stands before the fault, or a bracket that says what the value would be.
  let hasValueFirst: Bool
  let text: [UInt8]
  let description: String

  static let all: [SyntaxCase] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Acceptance/json-cases.txt")
    guard let content = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    return content.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(SyntaxCase.init)
  }()

  private init(_ line: Substring) {
    let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    verdict =
      switch parts[0].prefix(2) {
      case "-j": .invalidJSON
      case "-u": .invalidUTF8
      default: .valid
      }
    hasValueFirst = parts[0].hasSuffix("w")
    text = Self.unescaped(parts[1])
    description = String(parts[1])
  }

  private static func unescaped(_ text: Substring) -> [UInt8] {
    let parts = text.split(separator: "%", omittingEmptySubsequences: false)
    return Array(parts[0].utf8)
      + parts.dropFirst().flatMap { part in
        [UInt8(part.prefix(2), radix: 16) ?? 0] + part.utf8.dropFirst(2)
      }
  }
}
