internal import DeltaLake
internal import DurableIO

/// The commit of a batch's second table.
///
/// The commit of the first table, the batch's one commit point, carries these actions; so this
/// commit is the same from the batch itself and from a recovery at any later time.
struct CarriedCommit {
  let actions: [Action]
  let batch: Int64
  var origin = Origin.batch

  /// What the commit completes.
  enum Origin: String {
    case batch
    /// Of dead letters.
    case retry

    /// In the log.
    var operation: String {
      switch self {
      case .batch: "STREAMING UPDATE"
      case .retry: "RETRY DEAD LETTERS"
      }
    }

    /// What to do when another program moved the rows that the commit takes out.
    fileprivate var remedy: String {
      switch self {
      case .batch: "run `shopmetricsctl silver rebuild --yes`"
      case .retry:
        "restore the table to the version before (Spark: RESTORE TABLE … TO VERSION AS OF …), then "
          + "`systemctl start shopmetricsd`"
      }
    }
  }

  /// - Throws: `TABLE_CONFLICT` when another writer stands in the way; recovery tries again.
  ///   `TABLE_REWRITTEN` when one took out files that this commit takes out.
  func apply(to table: DeltaTable, publisher: Publisher, role: FileRole) throws {
    if !isAppend { try checkRemoved(from: table) }
    let info = CommitInfo(
      timestamp: timestampMs, operation: origin.operation,
      operationParameters: ["outputMode": "Append", "epochId": String(batch)],
      isBlindAppend: isAppend, engineInfo: ProgramVersion.engineInfo)
    let result =
      isAppend
      ? try table.commitAppend(actions, info: info, publisher: publisher, role: role)
      : try table.commit(
        actions, info: info, expecting: table.snapshot.version, publisher: publisher, role: role)
    guard case .committed = result else { throw PipelineError.conflict(result, in: table) }
  }

  /// What this commit replaces must still be there: rows that another program moved to other files
  /// would be in the table twice.
  private func checkRemoved(from table: DeltaTable) throws {
    try table.refresh()
    var missing: Set<String> = []
    for case .remove(let file) in actions { missing.insert(file.filePath) }
    for file in try table.liveFiles() { missing.remove(file.filePath) }
    guard let path = missing.min() else { return }
    throw PipelineError(
      "TABLE_REWRITTEN", .damaged,
      "\(table.path), version \(table.snapshot.version): \(origin.rawValue) \(batch) replaces "
        + "\(path), which another program took out of the table in the middle of the "
        + origin.rawValue,
      remedy: "\(origin.remedy); stop the other program while the daemon is at work")
  }

  private var isAppend: Bool {
    !actions.contains { if case .remove = $0 { true } else { false } }
  }

  /// The batch's, so that the commit does not depend on when it is made.
  private var timestampMs: Int64 {
    for case .transaction(let transaction) in actions { return transaction.lastUpdated ?? 0 }
    return 0
  }
}

extension PipelineError {
  /// Another writer was faster; the batch stays pending and is worked through again.
  static func conflict(_ result: CommitResult, in table: DeltaTable) -> PipelineError {
    PipelineError(
      "TABLE_CONFLICT", .system, "\(table.path): another writer committed first (\(result))",
      remedy: "stop the other program if it writes the same batches; the next run tries again")
  }
}
