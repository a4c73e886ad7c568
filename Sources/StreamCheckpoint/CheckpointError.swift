/// A file of the checkpoint directory that cannot be trusted.
package struct CheckpointError: Error, Equatable, CustomStringConvertible, Sendable {
  package let path: String
  /// Which part of the file, such as `batchTimestampMs`, or which line.
  package let field: String
  package let expected: String
  package let found: String

  package init(path: String, field: String, expected: String, found: String) {
    self.path = path
    self.field = field
    self.expected = expected
    self.found = found
  }

  package var description: String {
    "\(path): \(field): expected \(expected), found \(found)"
  }
}

extension CheckpointError {
  /// At most 60 characters of untrusted text, control characters escaped, for an error message.
  static func excerpt(_ text: some StringProtocol) -> String {
    let shown = text.unicodeScalars.prefix(60).map { scalar in
      scalar.value < 0x20 || scalar.value == 0x7F
        ? "\\u{\(String(scalar.value, radix: 16))}"
        : String(scalar)
    }
    let dots = text.unicodeScalars.count > 60 ? "…" : ""
    return "\"\(shown.joined())\(dots)\""
  }
}
