internal import DeltaLake
internal import DurableIO

/// Keeps the log of a table short: checkpoints, and clean-up of what they make superfluous.
struct LogMaintenance {
  private let settings: DeltaSettings
  private let publisher: Publisher
  private let log: Log

  init(_ settings: DeltaSettings, publisher: Publisher, log: Log) {
    self.settings = settings
    self.publisher = publisher
    self.log = log
  }

  /// Does what is due.
  ///
  /// Nothing here belongs to a batch: what fails is logged and made up for later.
  /// - Parameter oldestNeeded: the oldest version that a checkpoint still reads; asked only when
  ///   entries are about to be removed.
  /// - Throws: only where it is unknown what is on disk.
  func keepUp(_ table: DeltaTable, oldestNeeded: () throws -> Int64) throws {
    let now = wallClockMilliseconds()
    try log.attempting("log maintenance", at: table.path) {
      let written = try table.writeCheckpointIfDue(
        interval: settings.checkpointInterval, now: now, publisher: publisher)
      guard let written else { return }
      log.debug("\(table.path): wrote the log checkpoint of version \(written)")
      let removed = try table.cleanUpLog(
        keepingFrom: try oldestNeeded(), retention: settings.logRetention.wholeMilliseconds,
        now: now, publisher: publisher)
      if !removed.isEmpty { log.info("\(table.path): removed \(removed.count) old log files") }
    }
  }
}

extension Log {
  /// Does what keeps a table or a checkpoint up and belongs to no batch: a failure is a warning.
  ///
  /// - Throws: only where it is unknown what is on disk.
  func attempting(_ what: String, at path: String, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch {
      let problem = PipelineError.translating(error)
      guard problem.kind != .outcomeUnknown else { throw problem }
      warning(
        "\(path): \(what) failed, rows are unharmed: \(problem)",
        [("code", problem.code), ("table", path)])
    }
  }
}
