/// Text from outside (records, files, brokers) made harmless for a log or a terminal.
package enum PrintableText {
  /// Writes control characters and line separators as `\u{hex}`.
  ///
  /// Nothing then starts a new line, moves a cursor or reverses the direction of the text. What
  /// is longer than `limit` code points is cut and ends in an ellipsis.
  package static func escaping(_ text: String, limit: Int = .max) -> String {
    if text.utf8.count <= limit, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) {
      return text
    }
    var result = String.UnicodeScalarView()
    for (index, scalar) in text.unicodeScalars.enumerated() {
      guard index < limit else {
        result.append("…")
        break
      }
      if isHarmless(scalar) {
        result.append(scalar)
      } else {
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      }
    }
    return String(result)
  }

  /// The same for text of several lines of our own, in each of which names from outside may stand.
  package static func escapingLines(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { escaping(String($0)) }
      .joined(separator: "\n")
  }

  /// Whether a code point is text that is seen, and nothing else.
  package static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: false
    default: true
    }
  }
}
