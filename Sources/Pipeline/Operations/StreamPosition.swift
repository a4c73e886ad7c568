internal import DeltaLake
internal import StreamCheckpoint

/// Where the Bronze stream goes on, read from the files alone.
package struct StreamPosition: Equatable, Sendable {
  package let queryID: String
  /// The next offset of each partition.
  package let offsets: [Int32: Int64]
  /// The first offset of each partition that any stream into these tables has taken.
  let beginnings: [Int32: Int64]
  /// A batch that is logged and in no table yet.
  package let pending: Int64?
}

extension StreamPosition {
  /// - Throws: `NO_STREAM` before the first batch was planned; `PipelineError` for a state that a
  ///   start would refuse.
  init(_ state: StateReader, _ configuration: Configuration) throws {
    let found = state.observation
    let row = RecoveryRow.matching(found)
    guard !row.isRefusal else {
      throw row.refusal(found, in: BronzeQuery.places(state.paths))
    }
    func parsed(_ text: String?, _ path: String) throws -> [Int32: Int64]? {
      try text.map { try StateFit.offsets($0, in: path, configuration).offsets }
    }
    let checkpoint = state.checkpoint
    let initial = try parsed(try checkpoint.initialOffsets(), "\(checkpoint.path)/sources/0/0")
    pending = row == .replayBatch ? found.offsets : nil
    let complete = pending.map { $0 - 1 } ?? found.offsets ?? -1
    let logged = try parsed(
      try checkpoint.offsets(complete)?.sources.first ?? nil,
      "\(checkpoint.offsetLog.directory)/\(complete)")
    guard let queryID = state.queryID, let offsets = complete < 0 ? initial : logged else {
      throw PipelineError(
        "NO_STREAM", .configuration, "\(checkpoint.path): no batch was ever planned",
        remedy: "set kafka.starting_offsets to where the first run is to begin")
    }
    self.queryID = queryID
    self.offsets = offsets
    var beginnings = initial ?? offsets
    for stream in state.earlierStreams {
      beginnings.merge(stream.partitions.mapValues(\.start), uniquingKeysWith: min)
    }
    self.beginnings = beginnings
  }
}
