/// All problems of one configuration file, in the order of the file.
package struct ConfigurationErrors: Error, CustomStringConvertible {
  package let path: String
  package let problems: [ConfigurationProblem]

  /// What the operator reads: one block per problem, then the count and the exit status.
  package var description: String {
    let count = problems.count == 1 ? "1 error" : "\(problems.count) errors"
    return problems.map { $0.rendered(path: path) }.joined()
      + "\(count); nothing was changed (exit status 78)\n"
  }
}

extension ConfigurationErrors {
  /// One line for each problem, for a log, where the source line and carets would be noise.
  package var lines: [String] { problems.map { $0.headline(path: path) } }
}

/// One problem, where it is, and the line it is on.
package struct ConfigurationProblem: Equatable, Sendable {
  /// One-based position of the offending text; `nil` for what is absent or about the file.
  package struct Place: Equatable, Sendable {
    package let line: Int
    /// In code points, as editors count.
    package let column: Int
    /// Code points to underline, at least one.
    package let length: Int
    package let sourceLine: String
  }

  package let place: Place?
  package let message: String

  /// The problem and where it is.
  func headline(path: String) -> String {
    let position = place.map { ":\($0.line):\($0.column)" } ?? ""
    return "\(path)\(position): error: \(message)"
  }

  func rendered(path: String) -> String {
    guard let place else { return headline(path: path) + "\n" }
    let number = String(place.line)
    let width = max(number.count + 1, 3)
    let gutter = String(repeating: " ", count: width - number.count) + number
    let margin = String(repeating: " ", count: width)
    let indent = String(repeating: " ", count: place.column - 1)
    let carets = String(repeating: "^", count: place.length)
    return """
      \(headline(path: path))
      \(gutter) | \(place.sourceLine)
      \(margin) | \(indent)\(carets)

      """
  }
}
