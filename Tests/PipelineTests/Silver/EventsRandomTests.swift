import Clickstream
import Testing

@testable import Pipeline

/// Random histories against the definition of a unique event.
struct EventsRandomTests {
  private static let now = EventsFixture.now

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `whatever the order, the restarts and the merges, exactly the unique events stay`(
    seed: UInt64
  ) throws {
    var random = RandomHistory(state: seed)
    let fixture = try EventsFixture(cacheEvents: seed.isMultiple(of: 2) ? 16 : 500) {
      // Files of all sizes are small ones then, and row groups have few rows.
      $0.storage.rowGroupBytes = 2000
    }
    var kinds: [String: Int] = [:]
    for round in 0..<25 {
      let batch = fixture.begin()
      let isDiscarded = random.next(below: 6) == 0
      let known = fixture.ingested.count
      var changes: [String: Int] = [:]
      for _ in 0...random.next(below: 3) {
        let rows = (0...random.next(below: 40)).map { _ in Self.event(fixture, &random) }
        let decision = try fixture.step(
          batch, rows, lateBefore: Self.now - Int64(random.next(below: 3)) * 1_000_000)
        for (row, survives) in zip(rows, decision.survivors) where survives {
          changes[Self.kind(row.type), default: 0] += 1
        }
        for correction in decision.corrections {
          changes["\(correction.oldKind)", default: 0] -= 1
        }
      }
      if isDiscarded {
        if random.next(below: 2) == 0 { _ = try batch.finish() }
        batch.discard()
        fixture.forget(from: known)
      } else {
        try fixture.commit(try batch.finish())
        kinds.merge(changes, uniquingKeysWith: +)
      }
      if isDiscarded || random.next(below: 5) == 0 {
        try fixture.reopen(cacheFrom: Self.now - Int64(random.next(below: 9)) * 1_000_000)
      }
      if random.next(below: 4) == 0 { _ = try fixture.compact() }
      #expect(try fixture.isExact(), "round \(round)")
    }
    let stored = Dictionary(grouping: try fixture.stored()) { Self.kind($0.type) }
    #expect(stored.mapValues(\.count) == kinds.filter { $0.value != 0 })
    #expect(Set(try fixture.dataFiles()).isSuperset(of: fixture.events.files.keys))
  }

  private static func event(
    _ fixture: EventsFixture, _ random: inout RandomHistory
  ) -> BronzeEvent {
    let isIdentified = random.next(below: 3) > 0
    let visitor = "v\(random.next(below: 3))"
    let seconds = Int64(random.next(below: 4)) * 1_000_000
    let years: Int64 = 200_000_000_000_000
    let times: [Int64] = [now + seconds, now - seconds, now - years, now + years]
    return fixture.event(
      "\(random.next(below: 6))", at: times[random.next(below: 4)],
      customer: isIdentified ? visitor : nil, session: isIdentified ? "browser" : visitor,
      type: ["page_view", "search", "purchase", "else"][random.next(below: 4)],
      ingestedAt: now + Int64(random.next(below: 9)))
  }

  private static func kind(_ type: String) -> String {
    var type = type
    return type.withUTF8 { "\(EventKind(UnsafeRawBufferPointer($0)))" }
  }
}

/// The same choices for the same seed (SplitMix64, Steele and others 2014).
private struct RandomHistory {
  var state: UInt64

  mutating func next(below limit: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ (word >> 31)) % UInt64(limit))
  }
}
