import Clickstream
import DeltaLake
import Foundation
import Testing

@testable import Pipeline

/// Which rows are unique events, against what is stored.
struct EventsDuplicateTests {
  private static let now = EventsFixture.now
  private static let years: Int64 = 7 * 365 * 86_400_000_000

  @Test func `events in order and without duplicates read nothing of the table`() throws {
    let fixture = try EventsFixture()
    for batch in 0..<4 {
      let rows = (0..<50).map {
        fixture.event("\(batch)/\($0)", at: Self.now + Int64(batch * 50 + $0))
      }
      let outcome = try fixture.ingest(rows)
      #expect(outcome.duplicateCount == 0)
      #expect(outcome.staged.bytesRead == 0)
      // A read would fail now.
      for name in try fixture.dataFiles() { try fixture.remove(name) }
    }
  }

  @Test func `of duplicates in a slice the first by arrival and offset stays`() throws {
    let fixture = try EventsFixture()
    var rows = (0..<3).map { _ in fixture.event("twin") }
    rows[0].ingestedAt += 5
    rows[1].partition = 2
    rows.append(fixture.event("other"))
    let outcome = try fixture.ingest(rows)
    #expect(outcome.decisions[0].survivors == [false, false, true, true])
    #expect(outcome.duplicateCount == 2)
    #expect(outcome.corrections.isEmpty)
    #expect(try fixture.isExact())
  }

  @Test func `the same event id of another visitor or another time is another event`() throws {
    let fixture = try EventsFixture()
    try fixture.ingest([fixture.event("a")])
    let outcome = try fixture.ingest([
      fixture.event("a", customer: "c2"), fixture.event("a", at: Self.now + 1),
      fixture.event("a", customer: nil),
    ])
    #expect(outcome.duplicateCount == 0)
    #expect(try fixture.stored().count == 4)
  }

  @Test func `an anonymous visitor is the customer of the same name`() throws {
    let fixture = try EventsFixture()
    try fixture.ingest([fixture.event("a", customer: "x")])
    let outcome = try fixture.ingest([fixture.event("a", customer: nil, session: "x")])
    #expect(outcome.duplicateCount == 1)
    #expect(try fixture.isExact())
  }

  @Test func `a duplicate in a later slice of the batch is dropped`() throws {
    let fixture = try EventsFixture()
    let first = fixture.event("a")
    let outcome = try fixture.ingest([first], [fixture.event("a"), fixture.event("b")])
    #expect(outcome.decisions[1].survivors == [false, true])
    #expect(try fixture.isExact())
  }

  @Test func `an earlier row of a later slice replaces one that is not committed yet`() throws {
    let fixture = try EventsFixture()
    let earlier = fixture.event("a", type: "purchase")
    let others = (0..<5).map { fixture.event("o\($0)") }
    let later = fixture.event("a", customer: nil, session: "c1", type: "search")
    let outcome = try fixture.ingest(others + [later], [earlier])
    #expect(outcome.decisions[1].survivors == [true])
    #expect(
      outcome.corrections == [.init(row: 0, oldKind: .search, oldIsIdentified: false)])
    #expect(outcome.staged.removes.isEmpty)
    #expect(try fixture.isExact())
    // The file with the replaced row is gone, not orphaned.
    #expect(Set(try fixture.dataFiles()) == Set(outcome.staged.adds.map(\.filePath)))
  }

  @Test func `a duplicate in a later batch is dropped, also after a restart`() throws {
    let fixture = try EventsFixture()
    try fixture.ingest([fixture.event("a"), fixture.event("b")])
    #expect(try fixture.ingest([fixture.event("a")]).duplicateCount == 1)
    try fixture.reopen()
    #expect(try fixture.ingest([fixture.event("b")]).duplicateCount == 1)
    #expect(try fixture.isExact())
  }

  @Test func `a stored row that came later than the new one is replaced`() throws {
    let fixture = try EventsFixture()
    let early = fixture.event("a", type: "page_view", ingestedAt: Self.now - 10)
    let others = (0..<20).map { fixture.event("o\($0)", at: Self.now + Int64($0)) }
    try fixture.ingest(others + [fixture.event("a", type: "add_to_cart")])
    let path = try #require(fixture.events.files.keys.first)
    let outcome = try fixture.ingest([early])
    #expect(
      outcome.corrections == [.init(row: 0, oldKind: .addToCart, oldIsIdentified: true)])
    #expect(outcome.duplicateCount == 1)
    #expect(outcome.staged.removes.map(\.path) == [path])
    #expect(outcome.staged.bytesRewritten > 0)
    #expect(try fixture.isExact())
    // And what was replaced is not found again.
    #expect(try fixture.ingest([fixture.event("a")]).corrections.isEmpty)
    #expect(try fixture.isExact())
  }

  @Test func `a file whose only row is replaced leaves the table`() throws {
    let fixture = try EventsFixture()
    let early = fixture.event("a", ingestedAt: Self.now - 10)
    try fixture.ingest([fixture.event("a")])
    let outcome = try fixture.ingest([early])
    #expect(outcome.staged.adds.count == 1)
    #expect(outcome.staged.removes.count == 1)
    #expect(try fixture.isExact())
  }

  @Test func `two new rows of two slices may replace one stored row after the other`() throws {
    let fixture = try EventsFixture()
    let first = fixture.event("a", ingestedAt: Self.now - 20)
    let second = fixture.event("a", type: "search", ingestedAt: Self.now - 10)
    try fixture.ingest([fixture.event("a", type: "purchase")])
    let outcome = try fixture.ingest([second], [first])
    #expect(outcome.corrections.map(\.oldKind) == [.purchase, .search])
    #expect(try fixture.isExact())
  }

  @Test func `a duplicate that comes years later is found by time, in its file alone`() throws {
    let fixture = try EventsFixture()
    try fixture.ingest([fixture.event("old", at: Self.now - Self.years)])
    let old = Set(try fixture.dataFiles())
    for batch in 0..<3 { try fixture.ingest([fixture.event("\(batch)", at: Self.now + 1)]) }
    for name in try fixture.dataFiles() where !old.contains(name) {
      try fixture.remove(name)
    }
    let outcome = try fixture.ingest([
      fixture.event("old", at: Self.now - Self.years),
      fixture.event("fresh", at: Self.now - Self.years),
      fixture.event("old", at: Self.now - Self.years + 5_000_000),
    ])
    #expect(outcome.decisions[0].survivors == [false, true, true])
    #expect(outcome.staged.bytesRead > 0)
  }

  @Test func `a fingerprint that is known by chance is not taken for a duplicate`() throws {
    let fixture = try EventsFixture()
    try fixture.ingest([fixture.event("a")])
    let rows = [fixture.event("b"), fixture.event("c", at: Self.now + 9)]
    let (slice, keys) = try fixture.slice(rows)
    for row in 0..<2 {
      fixture.events.cache.insert(time: keys.time(row), fingerprint: keys.fingerprint(row))
      #expect(
        fixture.events.cache.contains(time: keys.time(row), fingerprint: keys.fingerprint(row)))
    }
    let batch = fixture.begin()
    #expect(try batch.decide(keys, slice).survivors == [true, true])
    #expect(try batch.finish().bytesRead > 0)
  }

  @Test func `what the cache has no room for is found in the files`() throws {
    let fixture = try EventsFixture(cacheEvents: 32)
    let rows = (0..<600).map { fixture.event("\($0)", at: Self.now + Int64($0) * 1_000_000) }
    try fixture.ingest(rows)
    #expect(fixture.events.cache.count <= 32)
    #expect(fixture.events.cache.lowerBound > Self.now)
    let again = rows.map { event in
      var event = event
      event.offset += 10_000
      return event
    }
    #expect(try fixture.ingest(again).duplicateCount == 600)
    try fixture.reopen()
    #expect(fixture.events.cache.count <= 32)
    #expect(try fixture.ingest(again).duplicateCount == 600)
    #expect(try fixture.isExact())
  }

  @Test func `events of the far future are told apart like all others`() throws {
    let fixture = try EventsFixture(cacheEvents: 64)
    let far = (0..<200).map { fixture.event("f\($0)", at: Self.now + Self.years + Int64($0)) }
    try fixture.ingest(far)
    try fixture.ingest((0..<200).map { fixture.event("n\($0)", at: Self.now + Int64($0)) })
    #expect(try fixture.ingest(far).duplicateCount == 200)
    try fixture.reopen()
    #expect(try fixture.ingest(far).duplicateCount == 200)
    #expect(try fixture.isExact())
  }

  @Test func `all events at one instant are told apart`() throws {
    let fixture = try EventsFixture(cacheEvents: 16)
    let rows = (0..<3000).map { fixture.event("\($0)", at: Self.now - Self.years) }
    try fixture.ingest(rows)
    let outcome = try fixture.ingest(rows + [fixture.event("new", at: Self.now - Self.years)])
    #expect(outcome.duplicateCount == 3000)
    #expect(outcome.decisions[0].survivors.last == true)
  }

  @Test func `files without statistics are looked into`() throws {
    let fixture = try EventsFixture()
    let batch = fixture.begin()
    try fixture.step(batch, [fixture.event("a", at: Self.now - Self.years)])
    var staged = try batch.finish()
    for index in staged.adds.indices { staged.adds[index].stats = nil }
    try fixture.commit(staged)
    let again = fixture.event("a", at: Self.now - Self.years)
    #expect(try fixture.ingest([again]).duplicateCount == 1)
    #expect(try fixture.isExact())
  }

  @Test func `a discarded batch leaves no file and no fingerprint`() throws {
    let fixture = try EventsFixture()
    try fixture.ingest([fixture.event("kept")])
    let before = try fixture.dataFiles()
    let rows = [
      fixture.event("a"), fixture.event("late", at: Self.now - 60_000_000),
      fixture.event("early", at: Self.now + Self.years),
    ]
    let batch = fixture.begin()
    try fixture.step(batch, rows, lateBefore: Self.now - 1)
    try fixture.step(batch, [fixture.event("a"), fixture.event("late", at: Self.now - 60_000_000)])
    _ = try batch.finish()
    #expect(try fixture.dataFiles().count > before.count)
    batch.discard()
    #expect(try fixture.dataFiles() == before)
    #expect(fixture.events.cache.lowerBound == .max)

    let again = fixture.begin()
    #expect(try fixture.step(again, rows).duplicateCount == 0)
    again.discard()
    try fixture.events.prepareCache(from: Self.now - 1_000_000, newest: Self.now)
    #expect(try fixture.ingest(rows + [fixture.event("kept")]).duplicateCount == 1)
    #expect(try fixture.isExact())
  }

  @Test func `a recount sees what the table will hold`() throws {
    let fixture = try EventsFixture()
    let early = fixture.event("a", customer: nil, session: "c1", ingestedAt: Self.now - 10)
    try fixture.ingest([
      fixture.event("a", type: "purchase"), fixture.event("b", at: Self.now + 2, type: "search"),
      fixture.event("x", customer: "c2"), fixture.event("y", at: Self.now + 50),
    ])
    let batch = fixture.begin()
    try fixture.step(batch, [early, fixture.event("z", at: Self.now + 3, type: "purchase")])
    var seen: [String] = []
    try "c1".utf8.withContiguousStorageIfAvailable { visitor in
      try batch.forEachEvent(of: UnsafeRawBufferPointer(visitor), in: Self.now...Self.now + 10) {
        seen.append("\($0 - Self.now) \($1) \($2)")
      }
    }
    #expect(seen.sorted() == ["0 pageView false", "2 search true", "3 purchase true"])
    try fixture.commit(try batch.finish())
    #expect(try fixture.isExact())
  }
}
