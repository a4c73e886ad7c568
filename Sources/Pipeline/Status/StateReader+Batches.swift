internal import StreamCheckpoint

/// What the offset log says of past batches.
extension StateReader {
  package struct Batch: Equatable, Sendable {
    package var id: Int64
    package var plannedMs: Int64
    /// How many offsets it has, over all partitions; `nil` when the batch before it is forgotten.
    package var offsets: Int64?
    package var isCommitted: Bool
  }

  /// The newest batches that the log still holds, oldest first.
  ///
  /// - Throws: `PipelineError` for a file that cannot be read.
  package func batches(last count: Int) throws(PipelineError) -> [Batch] {
    do {
      let ids = try checkpoint.offsetLog.batchIDs().suffix(count)
      var before = try ids.first == 0 ? firstOffsets() : nil
      return try ids.compactMap { id in
        // Between listing and reading a daemon may have cleaned up.
        guard let entry = try checkpoint.offsets(id), let ends = try ends(of: id) else {
          return nil
        }
        defer { before = ends }
        return Batch(
          id: id, plannedMs: entry.batchTimestampMs,
          offsets: before.map { start in
            ends.reduce(0) { $0 + $1.value - (start[$1.key] ?? 0) }
          }, isCommitted: id <= observation.commits ?? -1)
      }
    } catch {
      throw .translating(error)
    }
  }

  /// Where the next batch begins; `nil` before the stream's first start.
  func committedPosition() throws -> [Int32: Int64]? {
    try observation.commits.map(ends) ?? firstOffsets()
  }

  private func ends(of batch: Int64) throws -> [Int32: Int64]? {
    guard let text = try checkpoint.offsets(batch)?.sources.first ?? nil else { return nil }
    return try KafkaOffsetsJSON.parse(text, path: "\(checkpoint.offsetLog.directory)/\(batch)")
      .offsets
  }

  private func firstOffsets() throws -> [Int32: Int64]? {
    try checkpoint.initialOffsets().map {
      try KafkaOffsetsJSON.parse($0, path: "\(checkpoint.path)/sources/0/0").offsets
    }
  }
}
