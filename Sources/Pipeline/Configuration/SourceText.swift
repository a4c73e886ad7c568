/// A file's bytes cut into lines, to show people the place that an error is about.
struct SourceText {
  private let lines: [ArraySlice<UInt8>]

  init(_ bytes: [UInt8]) {
    lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
  }

  /// The place of a region, cut to its first line; `nil` when the source does not show it.
  func place(of region: TOMLRegion) -> ConfigurationProblem.Place? {
    guard region.beginLine >= 1, region.beginLine <= lines.count else { return nil }
    let text = shown(lines[region.beginLine - 1])
    let column = min(max(region.beginColumn, 1), text.count + 1)
    let end = region.endLine == region.beginLine ? region.endColumn : text.count + 1
    return ConfigurationProblem.Place(
      line: region.beginLine, column: column,
      length: max(1, min(end, text.count + 1) - column),
      sourceLine: String(String.UnicodeScalarView(text)))
  }

  /// The place of one byte, for faults that the parser never gets to see.
  func place(ofByte offset: Int) -> ConfigurationProblem.Place? {
    var lineStart = 0
    for (index, line) in lines.enumerated() {
      if offset <= lineStart + line.count {
        let before = line.prefix(offset - lineStart)
        let column = String(decoding: before, as: UTF8.self).unicodeScalars.count + 1
        return place(
          of: TOMLRegion(
            beginLine: index + 1, beginColumn: column, endLine: index + 1, endColumn: column + 1))
      }
      lineStart += line.count + 1
    }
    return nil
  }

  /// One code point for each of the file's, so that columns stay true.
  ///
  /// Control characters become spaces (a terminal must not obey them), and the value of a secret
  /// is never shown.
  private func shown(_ line: ArraySlice<UInt8>) -> [Unicode.Scalar] {
    var text = String(decoding: line, as: UTF8.self).unicodeScalars.map { scalar in
      scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) ? " " : scalar
    }
    while text.last == " " { text.removeLast() }
    if let equals = text.indices.first(where: { endsSecretKey(text, at: $0) }) {
      text.replaceSubrange((equals + 1)..., with: Array(" ***".unicodeScalars))
    }
    return text
  }

  /// Whether the key before an equals sign, in an inline table too, is that of a secret.
  private func endsSecretKey(_ text: [Unicode.Scalar], at index: Int) -> Bool {
    guard text[index] == "=" else { return false }
    let key = text[..<index].split { $0 == "," || $0 == "{" }.last ?? []
    return SecretKeys.mayHoldSecret(String(String.UnicodeScalarView(key)))
  }
}

/// Which keys hold secrets, by name: librdkafka's own and ours.
enum SecretKeys {
  /// Whether the value of `key` must not be shown; the name of a credential may.
  static func mayHoldSecret(_ key: String) -> Bool {
    let name = key.lowercased()
    guard !name.contains("credential") else { return false }
    let words = ["password", "secret", "pem", "oauthbearer.config", "webhook"]
    return words.contains { contains(name, $0) }
  }

  private static func contains(_ text: String, _ word: String) -> Bool {
    let bytes = Array(text.utf8)
    let wanted = Array(word.utf8)
    return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
  }
}
