internal import DeltaLake
internal import DurableIO

/// Commits that belong to no batch, the same for the tables of both queries.
extension DeltaTable {
  /// Makes a table without rows.
  ///
  /// - Throws: `DeltaError`, `SystemError`; there is no table then, or the whole of it.
  static func createEmpty(
    path: String, metadata: TableMetadata, publisher: Publisher, role: FileRole
  ) throws -> DeltaTable {
    let info = CommitInfo(
      timestamp: wallClockMilliseconds(), operation: "CREATE TABLE", isBlindAppend: true,
      engineInfo: ProgramVersion.engineInfo)
    return try create(
      path: path, metadata: metadata, info: info, publisher: publisher, commitRole: role)
  }

  /// Gives the table other metadata.
  ///
  /// - Returns: the version that has it.
  /// - Throws: `TABLE_CONFLICT` when another writer was faster; `DeltaError`, `SystemError`.
  func commit(
    _ metadata: TableMetadata, operation: String, publisher: Publisher, role: FileRole
  ) throws -> Int64 {
    let info = CommitInfo(
      timestamp: wallClockMilliseconds(), operation: operation, isBlindAppend: false,
      engineInfo: ProgramVersion.engineInfo)
    let result = try commit(
      [.metadata(metadata)], info: info, expecting: snapshot.version, publisher: publisher,
      role: role)
    guard case .committed(let version) = result else {
      throw PipelineError.conflict(result, in: self)
    }
    return version
  }
}

extension CommitInfo {
  /// What a compaction says of itself, under the names that Delta's `OPTIMIZE` uses.
  static func compaction(
    _ adds: [AddFile], replacing removed: [AddFile], timestampMs: Int64
  ) -> CommitInfo {
    CommitInfo(
      timestamp: timestampMs, operation: "OPTIMIZE", operationParameters: ["predicate": "[]"],
      isBlindAppend: false,
      operationMetrics: [
        "numRemovedFiles": String(removed.count),
        "numRemovedBytes": String(removed.reduce(0) { $0 + $1.size }),
        "numAddedFiles": String(adds.count),
        "numAddedBytes": String(adds.reduce(0) { $0 + $1.size }),
      ],
      engineInfo: ProgramVersion.engineInfo)
  }
}

/// How the data files of a batch are called.
enum BatchFileName {
  /// The query and the batch, in eight digits so that names sort as their batches do.
  static func prefix(query: String, batch: Int64) -> String {
    let digits = String(batch)
    return "\(query)-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits)"
  }
}
