import Clickstream
import Testing

@testable import Pipeline

/// Random batches beside the plainest grouping of all their events.
@Suite struct SessionsRandomTests {
  typealias Fixture = SessionsFixture
  typealias Event = SessionsFixture.Event

  /// Knuth's MMIX generator: the same numbers everywhere.
  private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
  }

  private func event(_ now: Int64, _ random: inout Random) -> Event {
    let distance: Int64 =
      switch Int.random(in: 0..<100, using: &random) {
      case ..<70: Int64.random(in: -15...0, using: &random) * Fixture.minute
      case ..<90: Int64.random(in: -600...0, using: &random) * Fixture.minute
      case ..<97: Int64.random(in: 0...300, using: &random) * Fixture.minute
      default: Int64.random(in: -900...900, using: &random) * Fixture.day
      }
    return Event(
      visitor: "v\(Int.random(in: 0..<12, using: &random))",
      time: now + distance + Int64.random(in: 0...999_999, using: &random),
      kind: EventKind(rawValue: UInt8.random(in: 0...4, using: &random)) ?? .other,
      isIdentified: random.chance(80))
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `late, early and far events in any mixture give the sessions of all events`(
    seed: UInt64
  ) throws {
    var random = Random(state: seed)
    let fixture = try Fixture()
    var now = Fixture.start
    for batch in 0..<25 {
      now += Int64.random(in: 1...40, using: &random) * Fixture.minute
      let slices = (0...Int.random(in: 0...2, using: &random)).map { _ in
        (0..<Int.random(in: 0...12, using: &random)).map { _ in event(now, &random) }
      }
      try fixture.run(slices, at: now)
      #expect(try fixture.truths() == fixture.expected(), "batch \(batch)")
      try disturb(fixture, &random)
    }
    #expect(try fixture.truths() == fixture.expected())
    try checkPlaces(fixture)
  }

  /// What may happen between two batches.
  private func disturb(_ fixture: Fixture, _ random: inout Random) throws {
    if random.chance(15) { try fixture.restart() }
    if random.chance(10) {
      let files = fixture.sessions.hot + fixture.sessions.parked
      if !files.isEmpty { try fixture.replaceForeign(files) }
    }
    if random.chance(5), !fixture.sessions.final.isEmpty {
      try fixture.replaceForeign(fixture.sessions.final)
    }
    if random.chance(30) {
      _ = try fixture.sessions.compactIfDue(
        namePrefix: "clickstream_silver-optimize", now: Fixture.start / 1000)
    }
  }

  /// Each row is in the partition that the watermark of the last batch asks for.
  private func checkPlaces(_ fixture: Fixture) throws {
    try fixture.run([Event](), at: fixture.parkedAfter ?? 0)
    for row in try StoredSession.read(fixture.table) {
      #expect(row.isFinal == (row.last + Fixture.gap < fixture.watermark), "\(row.text)")
    }
  }
}
