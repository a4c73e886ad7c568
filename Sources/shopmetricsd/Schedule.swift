import Pipeline

/// When the next run starts, on the monotonic clock: setting the time of day changes nothing.
struct Schedule {
  private let everyMilliseconds: Int64
  private let jitterMilliseconds: Int64
  private var due: Int64

  init(_ settings: ScheduleSettings, now: Int64) {
    everyMilliseconds = settings.every.wholeMilliseconds
    jitterMilliseconds = settings.jitter.wholeMilliseconds
    due = settings.runAtStart ? now : now + everyMilliseconds
    if !settings.runAtStart { due += jitter() }
  }

  /// Milliseconds until the next run; 0 when it is due.
  func wait(now: Int64) -> Int64 { max(0, due - now) }

  /// Runs never overlap, and those that were missed meanwhile become one.
  mutating func finishRun(now: Int64) {
    while due <= now { due += everyMilliseconds }
    due += jitter()
  }

  private func jitter() -> Int64 {
    jitterMilliseconds > 0 ? Int64.random(in: 0...jitterMilliseconds) : 0
  }
}
