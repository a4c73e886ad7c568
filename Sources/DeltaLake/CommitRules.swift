import DurableIO

extension DeltaTable {
  /// Checks that this program may write the table as it is now.
  ///
  /// - Throws: `DeltaError.Code.unsupportedToWrite` naming the feature, property or column.
  public func checkWritable() throws {
    try ProtocolGate(table: path, version: snapshot.version).checkWritable(snapshot)
  }

  /// Checks a commit against the rules of the table before it is written.
  func check(_ actions: [Action]) throws {
    try checkWritable()
    try checkKeys(actions)
    var changed = TableState()
    changed.tableProtocol = snapshot.tableProtocol
    changed.metadata = snapshot.metadata
    changed.apply(actions, version: snapshot.version + 1)
    let next = try Snapshot(changed, table: path, warnings: [])
    try ProtocolGate(table: path, version: next.version).checkWritable(next)
    for action in actions {
      switch action {
      case .add(let file): try check(file, next)
      case .remove(let file): try check(file)
      default: break
      }
    }
  }

  /// One action of a kind for one key (Delta protocol, "Delta Log Entries").
  private func checkKeys(_ actions: [Action]) throws {
    var seen: Set<String> = []
    for action in actions {
      let key =
        switch action {
        case .add(let file): "add of \(file.filePath)"
        case .remove(let file): "remove of \(file.filePath)"
        case .transaction(let transaction): "txn of \(transaction.appID)"
        case .metadata, .protocolVersions, .commitInfo, .unknown: action.name
        }
      guard seen.insert(key).inserted else { throw broken("a commit may hold one \(key)") }
    }
    guard !seen.contains("commitInfo") else { throw broken("commitInfo is written by the commit") }
  }

  private func check(_ file: RemoveFile) throws {
    guard snapshot.isAppendOnly, file.dataChange else { return }
    throw broken("the table is append-only (delta.appendOnly); \(file.path) may not be removed")
  }

  private func check(_ file: AddFile, _ next: Snapshot) throws {
    let columns = Set(next.metadata.partitionColumns)
    guard Set(file.partitionValues.keys) == columns else {
      throw broken(
        "\(file.path): expected values for the partition columns \(columns.sorted()), found "
          + "\(file.partitionValues.keys.sorted())")
    }
    try checkOnDisk(file)
  }

  /// A commit must never name a file that is not there: a vacuum may have run since it was written.
  private func checkOnDisk(_ file: AddFile) throws {
    let status = try Files.status(diskPath(of: file.filePath))
    guard let status, Int64(status.size) == file.size else {
      let found = status.map { "\($0.size) bytes" } ?? "nothing"
      throw DeltaError(
        .missingDataFile, table: path, version: snapshot.version + 1,
        "data file \(file.path): expected \(file.size) bytes, found \(found)",
        hint: "Nothing was committed. Another program removes or changes files of the table; stop "
          + "it, then run again.")
    }
  }

  private func broken(_ message: String) -> DeltaError {
    DeltaError(
      .ruleOfTable, table: path, version: snapshot.version + 1, message,
      hint: "Nothing was committed.")
  }
}
