internal import Systemd

/// When the next run starts.
///
/// Intervals follow the monotonic clock, calendars the time of day. Starts that were missed while
/// a run took longer, the clock jumped or the machine slept become one. After a failure the next
/// try comes by a backoff of its own.
package struct RunSchedule: Sendable {
  private let settings: ScheduleSettings
  /// The next regular start without its jitter: monotonic for an interval, by the time of day for
  /// a calendar; `nil` when the calendar names no time any more.
  private var next: Int64?
  private var jitter: Int64 = 0
  /// The calendar's last start, so that a clock that is put back does not repeat it.
  private var lastElapsed = Int64.min
  private var lastWall: Int64
  private var failures = 0
  private var retry: Retry?
  private var isRequested = false

  /// The next try after a failure.
  private struct Retry {
    /// Monotonic.
    var time: Int64
    /// Whether the regular start is waited for as well.
    var keepsSchedule: Bool
  }

  package init(_ settings: ScheduleSettings, now: ClockReading) {
    self.settings = settings
    lastWall = now.wall
    next =
      settings.calendar.map { Self.next(of: $0, after: now.wall) }
      ?? now.monotonic + settings.every.wholeMilliseconds
    drawJitter()
    isRequested = settings.runAtStart
  }

  /// Milliseconds until the next run; 0 when it is due, `nil` when there is none any more.
  package mutating func wait(_ now: ClockReading) -> Int64? {
    noteClock(now)
    if isRequested { return 0 }
    let regular = next.map { $0 + jitter - (settings.calendar == nil ? now.monotonic : now.wall) }
    guard let retry else { return regular.map { max(0, $0) } }
    let left = retry.time - now.monotonic
    return max(0, retry.keepsSchedule ? max(left, regular ?? left) : left)
  }

  /// A run starts; every regular start up to now is served by it.
  package mutating func startRun(_ now: ClockReading) {
    isRequested = false
    guard let due = next else { return }
    if let calendar = settings.calendar {
      guard due <= now.wall else { return }
      lastElapsed = due
      next = Self.next(of: calendar, after: now.wall)
    } else {
      guard due <= now.monotonic else { return }
      let every = settings.every.wholeMilliseconds
      next = due + ((now.monotonic - due) / every + 1) * every
    }
    drawJitter()
  }

  /// A run did what it should; the schedule goes on.
  package mutating func noteSuccess() {
    failures = 0
    retry = nil
  }

  /// A run failed: the next one comes after a second, then two, four, up to the configured most.
  ///
  /// - Parameter isTransient: whether it may succeed before the next regular start, such as when
  ///   the brokers cannot be reached; otherwise that start is waited for.
  package mutating func noteFailure(isTransient: Bool, _ now: ClockReading) {
    failures += 1
    let most = settings.maxBackoff.wholeMilliseconds
    let backoff = min(most, 1000 << Int64(min(failures - 1, 30)))
    // Hosts that lost the same broker do not come back as one.
    let spread = Int64.random(in: -backoff / 5...backoff / 5)
    retry = Retry(time: now.monotonic + backoff + spread, keepsSchedule: !isTransient)
  }

  /// The next run starts at once, whatever the schedule says.
  package mutating func requestRun() { isRequested = true }

  /// A time of day that was put back: what it passes again is not run again, unless that would
  /// mean to wait for longer than an hour.
  private mutating func noteClock(_ now: ClockReading) {
    defer { lastWall = now.wall }
    guard let calendar = settings.calendar, now.wall < lastWall - 1000 else { return }
    let isNear = lastElapsed > now.wall && lastElapsed - now.wall <= 3_600_000
    next = Self.next(of: calendar, after: isNear ? lastElapsed : now.wall)
  }

  private mutating func drawJitter() {
    jitter = Int64.random(in: 0...settings.jitter.wholeMilliseconds)
  }

  private static func next(of calendar: CalendarExpression, after wall: Int64) -> Int64? {
    calendar.next(after: wall * 1000).map { $0 / 1000 }
  }
}
