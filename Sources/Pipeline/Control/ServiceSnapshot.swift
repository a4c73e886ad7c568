/// What the daemon knows about itself at one moment; crosses the control socket as JSON.
package struct ServiceSnapshot: Equatable, Sendable {
  package enum State: String, Sendable {
    /// Checkpoints and tables are being read and repaired.
    case starting
    /// The next run waits for its time.
    case idle
    case running
    /// The last run failed; the next one waits for the end of a backoff.
    case waiting
    /// No run starts by the schedule.
    case paused
    case stopping
  }

  /// The run that is under way.
  package struct CurrentRun: Equatable, Sendable {
    package var number: Int64
    package var startedMs: Int64
    /// `nil` until its first step.
    package var progress: RunProgress?
  }

  package var pid: Int32
  package var version: String
  /// Times are milliseconds since 1970.
  package var startedMs: Int64
  /// When this was so.
  package var nowMs: Int64
  package var isReady = false
  package var isStopping = false
  package var isPaused = false
  package var current: CurrentRun?
  /// How long the run, or the start, has not moved.
  package var silentMs: Int64 = 0
  package var nextRunMs: Int64?
  package var consecutiveFailures: Int64 = 0
  package var lastSuccessMs: Int64?
  /// When a changed configuration was refused; `nil` while the newest one is in force.
  package var refusedReloadMs: Int64?
  /// The last ones, oldest first.
  package var runs: [RunRecord] = []
  /// Where the partitions ended when a run last looked.
  package var plannedEnds: [Int32: Int64] = [:]

  static let keptRuns = 100

  package init(pid: Int32, version: String, startedMs: Int64) {
    self.pid = pid
    self.version = version
    self.startedMs = startedMs
    nowMs = startedMs
  }

  package var state: State {
    if isStopping { return .stopping }
    if !isReady { return .starting }
    if current != nil { return .running }
    if isPaused { return .paused }
    return consecutiveFailures > 0 ? .waiting : .idle
  }

  /// Whether somebody works, so that a long silence means something.
  package var isBusy: Bool { !isReady || current != nil }

  /// How fast records come from Kafka: in the run under way, or in the last one that had any.
  package var recordsPerSecond: Double? {
    if let current, let progress = current.progress, progress.total > 0, progress.done > 0 {
      return Double(progress.done) * 1000 / Double(max(1, nowMs - current.startedMs))
    }
    return runs.last { $0.records > 0 }?.recordsPerSecond
  }

  mutating func note(_ run: RunRecord) {
    current = nil
    if run.outcome == .failed { consecutiveFailures += 1 }
    if run.isSuccess {
      consecutiveFailures = 0
      lastSuccessMs = run.startedMs + run.milliseconds
    }
    runs.append(run)
    runs.removeFirst(max(0, runs.count - Self.keptRuns))
  }
}
