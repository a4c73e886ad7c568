internal import JSON

/// The names that customers and browsers gave themselves, made fit for a finding.
enum VisitorName {
  private static let longest = 80

  /// In quotation marks, with escapes for control characters, and cut when it is long.
  static func text(_ bytes: some Collection<UInt8>) -> String {
    let text = String(decoding: bytes.prefix(longest), as: UTF8.self)
    return JSONValue.string(text).text + (bytes.count > longest ? "…" : "")
  }
}
