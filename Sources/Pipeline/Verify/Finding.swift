/// One thing that is not as it must be.
package struct Finding: Equatable, Sendable, CustomStringConvertible {
  /// A name to search for, such as `DUPLICATE_OFFSET`.
  package let code: String
  /// The file, table or partition.
  package let place: String
  package let expected: String
  package let found: String

  package init(_ code: String, _ place: String, expected: String, found: String) {
    self.code = code
    self.place = place
    self.expected = expected
    self.found = found
  }

  package var description: String {
    "\(code) \(place): expected \(expected), found \(found)"
  }
}

/// What a verification saw.
package struct VerificationReport: Equatable, Sendable {
  package var findings: [Finding] = []
  /// Worth knowing, and no harm.
  package var notes: [String] = []
  package var bronzeRows: Int64 = 0
  package var deadLetterRows: Int64 = 0
  package var files = 0
  package var batches: Int64 = 0

  package init() {}

  package var isSound: Bool { findings.isEmpty }
}
