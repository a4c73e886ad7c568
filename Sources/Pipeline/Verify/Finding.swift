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
///
/// What Silver adds:
///
/// | code                  | what it says                                                     |
/// |-----------------------|------------------------------------------------------------------|
/// | `WATERMARK_WENT_BACK` | a batch has an earlier watermark than the one in front of it     |
/// | `BATCH_WATERMARK`     | a batch left another watermark than the checkpoint says          |
/// | `EVENTS_MISSING`      | the events that a batch carries were never committed             |
/// | `EVENTS_DIFFER`       | other events were committed than a batch carries                 |
/// | `EVENTS_IN_SESSIONS`  | the sessions count more or fewer events than there are           |
/// | `SOURCE_ROWS`         | Silver has read more or fewer rows than Bronze holds             |
/// | `SESSION_ROW`         | the columns of a session contradict each other                   |
/// | `SESSION_PLACE`       | a session is in a file where the watermark does not put it       |
/// | `BRONZE_…`            | Bronze cannot be gone on with; the daemon stops with that code   |
///
/// What only the comparison with a recomputation finds:
///
/// | code                  | what it says                                                     |
/// |-----------------------|------------------------------------------------------------------|
/// | `SESSION_MISSING`     | the events of Bronze make a session that is not in the table     |
/// | `SESSION_UNKNOWN`     | the table holds a session that the events of Bronze do not make  |
/// | `SESSION_DIFFERS`     | a session has another end, other counts or another customer      |
/// | `SESSION_TWICE`       | a session is in two rows                                         |
/// | `EVENT_MISSING`       | an event of Bronze is not in the table                           |
/// | `EVENT_UNKNOWN`       | the table holds an event that Bronze does not                    |
/// | `EVENT_DIFFERS`       | another one of an event's duplicates was kept                    |
/// | `EVENT_TWICE`         | an event is in two rows                                          |
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
