/// What a run shares with the program around it.
package struct RunContext: Sendable {
  /// Set by a signal; a run that sees it drops its batch and returns.
  package var stop: StopRequest
  package var heartbeat: Heartbeat
  package var log: Log
  /// Told where the run is, at most a few times a second; for STATUS and the progress bar.
  package var progress: @Sendable (RunProgress) -> Void
  /// Told once where the partitions end for this run.
  package var planned: @Sendable (_ ends: [Int32: Int64]) -> Void

  package init(
    stop: StopRequest, heartbeat: Heartbeat, log: Log,
    progress: @escaping @Sendable (RunProgress) -> Void,
    planned: @escaping @Sendable (_ ends: [Int32: Int64]) -> Void = { _ in }
  ) {
    self.stop = stop
    self.heartbeat = heartbeat
    self.log = log
    self.progress = progress
    self.planned = planned
  }
}

/// Where a run is.
package struct RunProgress: Equatable, Sendable {
  /// The steps of a batch, by the names of Spark's progress reports.
  package enum Phase: String, Sendable {
    case latestOffset, walCommit, getBatch, addBatch, commitOffsets
  }

  /// "bronze" or "silver".
  package var query: String
  package var phase: Phase
  package var batch: Int64
  /// Offsets or rows of the run that are behind us, and in all; 0 when that is not known.
  package var done: Int64
  package var total: Int64

  /// "1,000 of 3,000", or "1,000" when the end is not known.
  package var amount: String {
    total > 0
      ? "\(RunReport.grouped(done)) of \(RunReport.grouped(total))" : RunReport.grouped(done)
  }
  /// "[############............] 50 %"; `nil` when the end is not known.
  package var bar: String? {
    guard total > 0 else { return nil }
    let width: Int64 = 24
    let part = min(max(0, Double(done) / Double(total)), 1)
    let filled = Int(Double(width) * part)
    return "[" + String(repeating: "#", count: filled)
      + String(repeating: ".", count: Int(width) - filled) + "] \(Int(part * 100)) %"
  }
}
