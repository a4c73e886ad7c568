/// Paragraphs as lines of bounded length.
package enum FilledText {
  /// As many words on each line as fit into `width` characters, at least one.
  ///
  /// - Parameter breaksSentences: whether each sentence begins a line, as mdoc(7) wants it.
  package static func lines(_ text: String, width: Int, breaksSentences: Bool = false) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let line = lines.last, line.count + 1 + word.count <= width,
        !(breaksSentences && endsSentence(line))
      {
        lines[lines.count - 1] = "\(line) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  private static func endsSentence(_ line: String) -> Bool {
    line.hasSuffix(".") && !line.hasSuffix("...")
  }
}
