internal import DeltaLake

/// What the files say when a query starts: the newest batch of each log and of each table.
///
/// A table's batch is the version of its `txn` action for the query's id (Delta protocol,
/// "Transaction Identifiers").
package struct RecoveryObservation: Equatable, Sendable {
  /// Newest file of `offsets/`.
  package var offsets: Int64?
  /// Newest file of `commits/`.
  package var commits: Int64?
  /// Newest batch in the first table, whose commit is the batch's commit point.
  package var firstTable: Int64?
  /// Newest batch in the second table.
  ///
  /// It lags behind whenever a batch had no rows for it.
  package var secondTable: Int64?
  /// Whether the first table's commit of its newest batch carries actions for the second table.
  package var carriesSecond: Bool

  package init(
    offsets: Int64?, commits: Int64?, firstTable: Int64?, secondTable: Int64?, carriesSecond: Bool
  ) {
    self.offsets = offsets
    self.commits = commits
    self.firstTable = firstTable
    self.secondTable = secondTable
    self.carriesSecond = carriesSecond
  }
}

/// The row of the recovery table that applies; its letter appears in the log.
///
/// N is the newest `offsets` file, M the newest `commits` file, b and d the newest batch of the
/// first and of the second table; an absent one counts as -1.
///
/// | row | found                      | decision                                               |
/// |-----|----------------------------|--------------------------------------------------------|
/// | A   | nothing at all             | a new stream: start at batch 0                         |
/// | B   | M = N, b = N               | all complete: the next batch is N+1                    |
/// | C   | M = N-1, b = N-1           | replay batch N with exactly the logged offsets         |
/// | D   | M = N-1, b = N             | finish batch N from its commit: second table, commits/N |
/// | E   | b < M                      | refuse: the first table lost a committed batch         |
/// | F   | M < N-1                    | refuse: a gap in the commit log                        |
/// | G   | no N, but M, b or d        | refuse: tables or commits without offsets              |
/// | H   | M > N or b > N             | refuse: the checkpoint is older than the tables        |
/// | I   | d > b                      | refuse: the second table is ahead of the commit point  |
/// | J   | as B, second lacks N       | refuse: the second table lost a committed batch        |
package enum RecoveryRow: String, CaseIterable, Sendable {
  case startNew = "A"
  case nextBatch = "B"
  case replayBatch = "C"
  case finishBatch = "D"
  case firstTableLostBatch = "E"
  case gapInCommitLog = "F"
  case offsetsMissing = "G"
  case checkpointTooOld = "H"
  case secondTableAhead = "I"
  case secondTableLostBatch = "J"

  /// The one row that matches an observation; every combination matches exactly one.
  package static func matching(_ found: RecoveryObservation) -> RecoveryRow {
    let commits = found.commits ?? -1
    let first = found.firstTable ?? -1
    let second = found.secondTable ?? -1
    guard let offsets = found.offsets else {
      return commits == -1 && first == -1 && second == -1 ? .startNew : .offsetsMissing
    }
    if commits > offsets || first > offsets { return .checkpointTooOld }
    if second > first { return .secondTableAhead }
    if commits < offsets - 1 { return .gapInCommitLog }
    if first < commits { return .firstTableLostBatch }
    if commits < offsets { return first == offsets ? .finishBatch : .replayBatch }
    return found.carriesSecond && second < first ? .secondTableLostBatch : .nextBatch
  }

  /// Whether the row stops the daemon until an operator acted.
  package var isRefusal: Bool {
    switch self {
    case .startNew, .nextBatch, .replayBatch, .finishBatch: false
    case .firstTableLostBatch, .gapInCommitLog, .offsetsMissing, .checkpointTooOld,
      .secondTableAhead, .secondTableLostBatch:
      true
    }
  }
}

extension RecoveryRow {
  /// Where a query keeps its state, for messages.
  struct Places {
    let checkpoint: String
    let first: String
    let second: String
    /// Another way out than a backup, for the end of the remedy.
    var alternative = ""
  }

  /// A refusing row in the operator's words.
  func refusal(_ found: RecoveryObservation, in places: Places) -> PipelineError {
    func text(_ batch: Int64?) -> String { batch.map { "batch \($0)" } ?? "nothing" }
    let facts =
      "offsets/: \(text(found.offsets)), commits/: \(text(found.commits)), "
      + "\(places.first): \(text(found.firstTable)), "
      + "\(places.second): \(text(found.secondTable)) (row \(rawValue))"
    let meaning =
      switch self {
      case .firstTableLostBatch: "\(places.first) lost a committed batch"
      case .secondTableLostBatch: "\(places.second) lost a committed batch"
      case .gapInCommitLog: "commits/ has a gap"
      case .offsetsMissing: "offsets/ is empty, but batches were committed"
      case .checkpointTooOld: "the checkpoint is older than the tables"
      default: "\(places.second) is ahead of \(places.first)"
      }
    return PipelineError(
      "STATE_CONTRADICTS", .damaged, "\(places.checkpoint): \(meaning): \(facts)",
      remedy: "restore tables and checkpoint from the same moment; `shopmetricsctl verify` prints "
        + "the details" + places.alternative)
  }

  /// A checkpoint that was never used fits only to tables that no query has written.
  ///
  /// - Parameter otherwise: what to do instead of restoring the checkpoint.
  /// - Throws: `CHECKPOINT_MISSING`.
  static func checkUnwritten(
    _ tables: [DeltaTable?], checkpoint: String, otherwise: String
  ) throws {
    for table in tables.compactMap({ $0 }) {
      guard let (appID, version) = table.snapshot.transactions.min(by: { $0.key < $1.key }) else {
        continue
      }
      throw PipelineError(
        "CHECKPOINT_MISSING", .damaged,
        "\(checkpoint): no checkpoint, but \(table.path) holds batch \(version) of query "
          + "\(appID) (row \(offsetsMissing.rawValue))",
        remedy: "restore the checkpoint directory, or \(otherwise)")
    }
  }

  /// A checkpoint that was put in the place of another one's looks like batches that were lost.
  ///
  /// A table may well know several queries: each reset of the checkpoint begins a new one.
  ///
  /// - Parameter table: the first one.
  /// - Throws: `QUERY_CHANGED`, with the ids of both.
  static func checkQuery(
    _ id: String, of table: DeltaTable?, _ found: RecoveryObservation, checkpoint: String
  ) throws {
    guard let table, found.commits != nil, table.snapshot.transactions[id] == nil,
      let (other, newest) = table.snapshot.transactions.max(by: { $0.value < $1.value })
    else { return }
    throw PipelineError(
      "QUERY_CHANGED", .damaged,
      "\(checkpoint): the checkpoint is that of query \(id), \(table.path) holds batch "
        + "\(newest) of query \(other)",
      remedy: "restore tables and checkpoint from the same moment, or "
        + "`shopmetricsctl checkpoint rebuild` makes the checkpoint again from the tables")
  }

  /// Tells the operator where a query goes on.
  ///
  /// - Parameter prefix: begins the line, for a query that is not the first.
  func announce(nextBatch: Int64, prefix: String = "", in log: Log) {
    let fields: [Log.Field] = [("code", "RECOVERY"), ("recovery_row", rawValue)]
    let text = prefix + "checkpoint: "
    switch self {
    case .startNew: log.notice(text + "none yet, a new stream (row A)", fields)
    case .replayBatch: log.notice(text + "batch \(nextBatch) is read again (row C)", fields)
    case .finishBatch: log.notice(text + "batch \(nextBatch - 1) was finished (row D)", fields)
    default: log.info(text + "batch \(nextBatch - 1) complete on all tables (row B)", fields)
    }
  }
}
