internal import DeltaLake
internal import JSON

/// The commits of a query's second table, each held to the actions that the commit of the first
/// table carries for it.
struct CarriedCommitAudit {
  private let table: DeltaTable
  private let codes: (missing: String, differ: String)
  /// The name of the first table.
  private let carrier: String
  private let origin: CarriedCommit.Origin
  /// `nil` after a commit that could not be read.
  private var cursor: TransactionCursor?

  init(
    _ table: DeltaTable, queryID: String, codes: (missing: String, differ: String),
    carrier: String, origin: CarriedCommit.Origin = .batch
  ) {
    self.table = table
    self.origin = origin
    self.codes = codes
    self.carrier = carrier
    cursor = TransactionCursor(table, appID: queryID)
  }

  /// Compares one batch; the newest batch comes first.
  ///
  /// - Parameter isPending: the commit may still be to come.
  /// - Returns: the actions of the table's commit when they are the carried ones.
  mutating func check(
    _ batch: Int64, carried: BatchAccounting.SecondTable?, isPending: Bool,
    _ report: inout VerificationReport
  ) throws -> [Action]? {
    let place = "\(table.path), \(origin.rawValue) \(batch)"
    let carried = carried?.actions.map(\.text) ?? []
    let answer: TransactionCursor.Answer?
    do {
      answer = try cursor?.commit(ofTransaction: batch)
    } catch {
      report.findings.append(try StateVerifier.finding(error))
      cursor = nil
      return nil
    }
    switch answer {
    case .actions(let version, let actions):
      let found = actions.filter { $0.name != "commitInfo" }.map(\.line)
      if found == carried { return actions }
      report.find(
        codes.differ, "\(place), version \(version)",
        expected: "the \(carried.count) actions that \(carrier) carries",
        found: "\(found.count) actions, other ones")
    case .never:
      guard !carried.isEmpty, !isPending else { return nil }
      report.find(
        codes.missing, place, expected: "the commit that \(carrier) carries", found: "none")
    case .unknown, nil: break
    }
    return nil
  }
}

/// Walks back through a log, from transaction to transaction of one query.
///
/// The log is read once, one commit at a time, when the asked versions fall.
struct TransactionCursor {
  private let table: DeltaTable
  private let appID: String
  private var version: Int64
  private var current: (transaction: Int64, actions: [Action])?

  enum Answer {
    case actions(version: Int64, [Action])
    /// The log reaches behind it, without it.
    case never
    /// The log does not reach that far back (any more).
    case unknown
  }

  init(_ table: DeltaTable, appID: String) {
    self.table = table
    self.appID = appID
    version = table.snapshot.version + 1
  }

  mutating func commit(ofTransaction wanted: Int64) throws -> Answer {
    while current.map({ $0.transaction > wanted }) ?? true {
      guard version > 0 else { return .never }
      guard let actions = try table.actions(ofVersion: version - 1) else { return .unknown }
      version -= 1
      current = actions.transactionVersion(of: appID).map { ($0, actions) }
    }
    guard let current, current.transaction == wanted else { return .never }
    return .actions(version: version, current.actions)
  }
}

extension [Action] {
  var addedFiles: [AddFile] {
    compactMap { if case .add(let file) = $0 { file } else { nil } }
  }

  /// What this commit records for the application.
  func transaction(of appID: String) -> SetTransaction? {
    for case .transaction(let transaction) in self where transaction.appID == appID {
      return transaction
    }
    return nil
  }

  /// The version that this commit records for the application.
  func transactionVersion(of appID: String) -> Int64? { transaction(of: appID)?.version }
}
