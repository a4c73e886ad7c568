import Systemd
import Testing

@testable import Pipeline

/// When runs start, on clocks that the tests move.
struct RunScheduleTests {
  /// 2026-11-24 15:20:00 UTC, after ten hours of uptime.
  private static let start = ClockReading(monotonic: 36_000_000, wall: 1_795_533_600_000)

  private var now = Self.start
  private static let minute: Int64 = 60_000
  private static let hour: Int64 = 3_600_000

  private mutating func pass(_ milliseconds: Int64) {
    now.monotonic += milliseconds
    now.wall += milliseconds
  }

  private static func interval(
    _ seconds: Int64, runAtStart: Bool = false
  ) -> ScheduleSettings {
    var settings = ScheduleSettings()
    settings.every = .seconds(seconds)
    settings.runAtStart = runAtStart
    return settings
  }

  private static func calendar(_ text: String) throws -> ScheduleSettings {
    var settings = interval(300)
    settings.calendar = try CalendarExpression(text)
    return settings
  }

  @Test mutating func `The first run starts with the service, the next one an interval later`() {
    var schedule = RunSchedule(Self.interval(300, runAtStart: true), now: now)
    #expect(schedule.wait(now) == 0)
    schedule.startRun(now)
    pass(2000)
    #expect(schedule.wait(now) == 298_000)
  }

  @Test mutating func `Without a run at the start the first one comes after an interval`() {
    var schedule = RunSchedule(Self.interval(300), now: now)
    #expect(schedule.wait(now) == 300_000)
  }

  @Test mutating func `Starts that were missed become one, and the rhythm stays`() {
    var schedule = RunSchedule(Self.interval(60), now: now)
    pass(60_000)
    schedule.startRun(now)
    pass(250_000)
    #expect(schedule.wait(now) == 0)
    schedule.startRun(now)
    #expect(schedule.wait(now) == 50_000)
  }

  @Test(arguments: [-365 * 24 * hour, -hour, hour, 365 * 24 * hour])
  mutating func `An interval does not see the time of day`(jump: Int64) {
    var schedule = RunSchedule(Self.interval(60), now: now)
    pass(10_000)
    now.wall += jump
    #expect(schedule.wait(now) == 50_000)
  }

  @Test mutating func `The jitter is a delay, and does not add up`() {
    var settings = Self.interval(60)
    settings.jitter = .seconds(20)
    var schedule = RunSchedule(settings, now: now)
    for round in 1...50 as ClosedRange<Int64> {
      let due = Self.start.monotonic + round * Self.minute
      let wait = schedule.wait(now) ?? -1
      #expect((0...20_000).contains(now.monotonic + wait - due))
      pass(wait)
      schedule.startRun(now)
    }
  }

  @Test mutating func `A calendar names the time of day`() throws {
    var schedule = RunSchedule(try Self.calendar("*:0/15 UTC"), now: now)
    #expect(schedule.wait(now) == 10 * Self.minute)
    pass(10 * Self.minute)
    schedule.startRun(now)
    #expect(schedule.wait(now) == 15 * Self.minute)
  }

  @Test mutating func `A clock that is put forward runs what it passed once`() throws {
    var schedule = RunSchedule(try Self.calendar("*:0/15 UTC"), now: now)
    now.wall += 365 * 24 * Self.hour
    #expect(schedule.wait(now) == 0)
    schedule.startRun(now)
    let next = schedule.wait(now)
    let wait = try #require(next)
    #expect((1...15 * Self.minute).contains(wait))
  }

  @Test mutating func `A clock that is put back an hour does not run an hour again`() throws {
    var schedule = RunSchedule(try Self.calendar("*:30 UTC"), now: now)
    pass(10 * Self.minute)
    schedule.startRun(now)
    now.wall -= Self.hour
    #expect(schedule.wait(now) == 2 * Self.hour)
  }

  @Test mutating func `A clock that is put back a year does not stop the runs`() throws {
    var schedule = RunSchedule(try Self.calendar("*:0/15 UTC"), now: now)
    pass(10 * Self.minute)
    schedule.startRun(now)
    now.wall -= 365 * 24 * Self.hour
    #expect(schedule.wait(now) == 15 * Self.minute)
  }

  @Test mutating func `A calendar of the past never runs, but a request does`() throws {
    var schedule = RunSchedule(try Self.calendar("2020-01-01 UTC"), now: now)
    #expect(schedule.wait(now) == nil)
    schedule.requestRun()
    #expect(schedule.wait(now) == 0)
  }

  @Test mutating func `Tries get rarer up to the limit, and a success ends that`() throws {
    var settings = Self.interval(3600)
    settings.maxBackoff = .seconds(60)
    var schedule = RunSchedule(settings, now: now)
    for nominal in [1, 2, 4, 8, 16, 32, 60, 60, 60] as [Int64] {
      schedule.noteFailure(isTransient: true, now)
      let next = schedule.wait(now)
      let wait = try #require(next)
      #expect((nominal * 800...nominal * 1200).contains(wait))
    }
    schedule.noteSuccess()
    #expect(schedule.wait(now) == Self.hour)
    for _ in 0..<100 { schedule.noteFailure(isTransient: true, now) }
    let next = schedule.wait(now)
    #expect(try #require(next) <= 72_000)
  }

  @Test mutating func `Trouble that time does not mend waits for the schedule`() {
    var schedule = RunSchedule(Self.interval(3600), now: now)
    schedule.noteFailure(isTransient: false, now)
    #expect(schedule.wait(now) == Self.hour)
    schedule.requestRun()
    #expect(schedule.wait(now) == 0)
  }
}
