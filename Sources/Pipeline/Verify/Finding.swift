/// One thing that is not as it must be; `meanings` explains the codes.
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
  /// Batches whose accounting was compared with the rows of their files.
  package var batches: Int64 = 0
  /// `nil` when there are no Silver tables.
  package var silver: SilverCounts?

  package init() {}

  package var isSound: Bool { findings.isEmpty }

  mutating func find(_ code: String, _ place: String, expected: String, found: String) {
    findings.append(Finding(code, place, expected: expected, found: found))
  }

  /// Counts that must be equal.
  mutating func compare(_ code: String, _ place: String, _ expected: Int64, _ found: Int64) {
    guard expected != found else { return }
    find(code, place, expected: RunReport.grouped(expected), found: RunReport.grouped(found))
  }
}

/// What a verification saw of Silver.
package struct SilverCounts: Equatable, Sendable {
  package var sessions: Int64 = 0
  /// Sessions that are not final.
  package var openSessions: Int64 = 0
  package var events: Int64 = 0
  package var files = 0
  /// Batches whose accounting was compared with its neighbours and the checkpoint.
  package var batches: Int64 = 0
  /// Bronze rows that Silver was computed from again; `nil` when that was not asked for.
  package var recomputedRows: Int64?

  package init() {}
}
