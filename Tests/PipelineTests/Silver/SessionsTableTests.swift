import Clickstream
import DeltaLake
import Testing

@testable import Pipeline

@Suite struct SessionsTableTests {
  typealias Fixture = SessionsFixture
  typealias Event = SessionsFixture.Event

  /// The instants at both ends of what an event time can be.
  private static let yearOne: Int64 = -62_135_596_800_000_000
  private static let endOfTime: Int64 = 253_402_300_799_999_999

  private static let everyKind: [Event] = [
    Event(visitor: "c1", time: Fixture.start),
    Event(visitor: "c1", time: Fixture.start + 1, kind: .purchase),
    Event(visitor: "anonymous", time: Fixture.start, kind: .search, isIdentified: false),
    Event(visitor: "mixed", time: Fixture.start, isIdentified: false),
    Event(visitor: "mixed", time: Fixture.start + 5, kind: .addToCart),
    Event(visitor: "", time: Fixture.start, kind: .other),
    Event(visitor: "with-dash-", time: Fixture.start + 7),
    Event(visitor: "-17", time: Fixture.start + 7, isIdentified: false),
    Event(visitor: "Zoë \u{1F600} -1", time: Fixture.start + 8),
    Event(visitor: "before 1970", time: -1),
    Event(visitor: "before 1970", time: -86_400_000_001, kind: .search),
    Event(visitor: "-5", time: -5),
    Event(visitor: "epoch", time: 0),
    Event(visitor: "old", time: yearOne),
    Event(visitor: "future", time: endOfTime),
  ]

  @Test func `every kind of session comes back as it went in, hot, parked or final`() throws {
    let fixture = try Fixture()
    try fixture.run(Self.everyKind, at: Fixture.start)
    #expect(try fixture.truths() == fixture.expected())
    // The old ones are final only now: before the first batch nothing is.
    try fixture.run([Event(visitor: "x", time: Fixture.start + 1)], at: Fixture.start + 2000)
    #expect(try fixture.truths() == fixture.expected())
    #expect(fixture.sessions.hot.count == 1)
    #expect(!fixture.sessions.parked.isEmpty)
    #expect(!fixture.sessions.final.isEmpty)
    try fixture.restart()
    try fixture.run(Self.everyKind, at: Fixture.start + 4000)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `events in order open no cold file, however many there are`() throws {
    let fixture = try Fixture()
    var opened = 0
    for batch in 0..<40 as Range<Int64> {
      let now = Fixture.start + batch * 20 * Fixture.minute
      let events = (0..<50 as Range<Int64>).map { index in
        Event(visitor: "v\((batch * 7 + index * 13) % 90)", time: now - index * Fixture.minute / 6)
      }
      opened += try fixture.run(events, at: now).openedFiles
    }
    #expect(opened == 0)
    #expect(fixture.sessions.final.count > 30)
    #expect(try fixture.truths() == fixture.expected())
  }

  /// A table with ten final files, one for each hour, and its newest instant.
  private func tenFinalFiles() throws -> (Fixture, Int64) {
    let fixture = try Fixture()
    for hour in 0..<13 as Range<Int64> {
      let now = Fixture.start + hour * Fixture.hour
      try fixture.run(
        [
          Event(visitor: "a\(hour)", time: now), Event(visitor: "b\(hour)", time: now + 1),
          Event(visitor: "bridge", time: now + 2),
        ], at: now)
    }
    #expect(fixture.sessions.final.count >= 10)
    return (fixture, Fixture.start + 12 * Fixture.hour)
  }

  @Test func `a late event rewrites only the file that holds its session`() throws {
    let (fixture, now) = try tenFinalFiles()
    let before = fixture.sessions.final.map(\.add.path)
    let late = Event(visitor: "a3", time: Fixture.start + 3 * Fixture.hour + 5, kind: .purchase)
    let outcome = try fixture.run([late], at: now + 1000)
    #expect(outcome.staged.removes.count == 2, "the hot file and one final file")
    #expect(Set(before).subtracting(fixture.sessions.final.map(\.add.path)).count == 1)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `late events that bridge sessions of several files merge them`() throws {
    let (fixture, now) = try tenFinalFiles()
    let before = fixture.sessions.final.map(\.add.path)
    let bridges = [3, 4].flatMap { hour in
      [
        Event(visitor: "bridge", time: Fixture.start + hour * Fixture.hour + 20 * Fixture.minute),
        Event(visitor: "bridge", time: Fixture.start + hour * Fixture.hour + 40 * Fixture.minute),
      ]
    }
    let outcome = try fixture.run([bridges.reversed()], at: now + 1000)
    #expect(Set(before).subtracting(fixture.sessions.final.map(\.add.path)).count == 3)
    #expect(outcome.staged.counts.becameFinal <= 3, "the merged one was final before")
    let rows = try fixture.truths()
    #expect(rows == fixture.expected())
    #expect(rows.contains { $0.customer == "bridge" && $0.events == 7 })
  }

  @Test func `slices of one batch find what the ones before them took`() throws {
    let (fixture, now) = try tenFinalFiles()
    let slices = (0..<6 as Range<Int64>).map { slice in
      [
        Event(visitor: "a4", time: Fixture.start + 4 * Fixture.hour + slice * Fixture.minute * 20),
        Event(visitor: "a4", time: Fixture.start + 4 * Fixture.hour - slice * Fixture.minute * 20),
      ]
    }
    try fixture.run(slices, at: now + 1000)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `a final session that grows past the watermark is not final any more`() throws {
    let fixture = try Fixture()
    let second = Fixture.start + 55 * Fixture.minute
    try fixture.run([Event(visitor: "v", time: Fixture.start)], at: Fixture.start)
    try fixture.run([Event(visitor: "w", time: second)], at: second)
    // Final now: the watermark is 45 minutes past its event.
    try fixture.run([Event(visitor: "w", time: second + 1)], at: second + 1000)
    #expect(try StoredSession.read(fixture.table).filter(\.isFinal).map(\.customer) == ["v"])
    let late = Event(visitor: "v", time: Fixture.start + 30 * Fixture.minute)
    try fixture.run([late], at: second + 2000)
    #expect(try StoredSession.read(fixture.table).filter(\.isFinal).isEmpty)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `rewriting leaves the rows that did not change as they are, updated_at too`() throws {
    let (fixture, now) = try tenFinalFiles()
    let before = try StoredSession.read(fixture.table)
    let late = Event(visitor: "a3", time: Fixture.start + 3 * Fixture.hour + 5)
    try fixture.run([late], at: now + 1000)
    let after = try StoredSession.read(fixture.table)
    let changed = after.filter { !before.contains($0) }
    #expect(Set(changed.map(\.customer)).isSuperset(of: ["a3"]))
    let newlyFinal = changed.filter { $0.customer != "a3" }
    #expect(newlyFinal.allSatisfy { $0.isFinal })
    #expect(changed.allSatisfy { $0.updatedAt == now + 1000 })
    #expect(before.count == after.count)
  }

  @Test func `sessions of wrong clocks do not widen the files of today`() throws {
    let fixture = try Fixture()
    for hour in 0..<6 as Range<Int64> {
      let now = Fixture.start + hour * Fixture.hour
      let wrong = Event(visitor: "clock", time: hour * Fixture.hour)
      try fixture.run([Event(visitor: "v", time: now), wrong], at: now)
    }
    #expect(fixture.sessions.final.count > 6)
    for file in fixture.sessions.final {
      #expect(file.lasts.upperBound - file.firsts.lowerBound < 2 * Fixture.hour)
    }
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `a batch that changes no hot session leaves the hot file alone`() throws {
    let (fixture, now) = try tenFinalFiles()
    try fixture.run([Event](), at: now + 1000)
    let hot = fixture.sessions.hot.map(\.add.path)
    let outcome = try fixture.run([Event](), at: now + 2000)
    #expect(outcome.staged.adds.isEmpty && outcome.staged.removes.isEmpty)
    #expect(fixture.sessions.hot.map(\.add.path) == hot)
  }

  @Test func `a discarded batch leaves no file and no row behind`() throws {
    let (fixture, now) = try tenFinalFiles()
    let names = try dataFiles(fixture)
    let work = fixture.begin(at: now + 1000)
    let late = Event(visitor: "a3", time: Fixture.start + 3 * Fixture.hour + 5)
    _ = try fixture.fill(work, [[late]], at: now + 1000)
    #expect(try dataFiles(fixture) != names)
    work.discard()
    #expect(try dataFiles(fixture) == names)
    try fixture.restart()
    try fixture.run([late], at: now + 1000)
    #expect(try fixture.truths() == fixture.expected())
  }
}
