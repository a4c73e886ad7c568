/// One thing that is not as it must be.
///
/// | code                 | what it says                                                      |
/// |----------------------|-------------------------------------------------------------------|
/// | `CHECKPOINT_DAMAGED` | a file of the checkpoint is missing, cut short or altered         |
/// | `OFFSETS_WENT_BACK`  | a batch ends before the batch in front of it                      |
/// | `STATE_CONTRADICTS`  | checkpoint and tables are not from the same moment                |
/// | `TABLE_DAMAGED`      | a log cannot be read                                              |
/// | `FILE_MISSING`       | a data file of the table is not there                             |
/// | `FILE_SIZE`          | a data file has another length than the log says                  |
/// | `FILE_UNREADABLE`    | a data file's footer or one of its pages is damaged               |
/// | `FOOTER_STATISTICS`  | a data file's footer says of a column what its values do not      |
/// | `LOG_STATISTICS`     | the log says of a column what the file's values do not            |
/// | `ROW_WITHOUT_ORIGIN` | a row does not say which record it is                             |
/// | `DUPLICATE_OFFSET`   | a record is in two rows, of one table or of both                  |
/// | `OFFSET_OUTSIDE`     | a row's record is not of the range that was processed             |
/// | `ROW_COUNT`          | a table has more or fewer rows of a partition than were committed |
/// | `CONTINUITY`         | a batch or its totals do not begin where the last one ended       |
/// | `ACCOUNTING_DAMAGED` | a commit carries an accounting that cannot be one                 |
/// | `BATCH_RANGE`        | a batch's rows and absent offsets are not its range               |
/// | `BATCH_OFFSETS`      | a batch's range is not the one in the checkpoint                  |
/// | `BATCH_ROWS`         | the files of a batch hold other rows than it accounts for         |
/// | `BATCH_TIME`         | rows of a batch do not carry its timestamp                        |
/// | `LETTERS_MISSING`    | the dead letters that a batch carries were never committed        |
/// | `LETTERS_DIFFER`     | other dead letters were committed than a batch carries            |
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
