import Clickstream
import DeltaLake
import Testing

@testable import Pipeline

/// Files that another program wrote, and rows that contradict themselves.
@Suite struct SessionsForeignTests {
  typealias Fixture = SessionsFixture
  typealias Event = SessionsFixture.Event

  /// Final, hot and parked sessions.
  private func filled() throws -> (Fixture, Int64) {
    let fixture = try Fixture()
    var now = Fixture.start
    for hour in 0..<6 as Range<Int64> {
      now = Fixture.start + hour * Fixture.hour
      try fixture.run(
        (0..<10 as Range<Int64>).flatMap { index in
          [
            Event(visitor: "v\(index)", time: now + index),
            Event(visitor: "p\(index)", time: now + (index + 1) * Fixture.day),
          ]
        }, at: now)
    }
    return (fixture, now)
  }

  @Test func `hot and parked files that were compacted into one are told apart again`() throws {
    let (fixture, now) = try filled()
    try fixture.replaceForeign(fixture.sessions.hot + fixture.sessions.parked)
    #expect(fixture.sessions.parked.isEmpty && fixture.sessions.hot.count == 1)
    #expect(try fixture.truths() == fixture.expected())
    try fixture.run([Event(visitor: "v1", time: now + 100)], at: now + 1000)
    #expect(!fixture.sessions.parked.isEmpty)
    #expect(fixture.set.count <= 10)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `final files without statistics and in no order are searched and rewritten`() throws {
    let (fixture, now) = try filled()
    try fixture.replaceForeign(fixture.sessions.final)
    #expect(fixture.sessions.final.map(\.isBounded) == [false])
    let late = Event(visitor: "v3", time: Fixture.start + Fixture.hour + 50, kind: .search)
    try fixture.run([late], at: now + 1000)
    #expect(fixture.sessions.final.allSatisfy { $0.isBounded })
    #expect(try fixture.truths() == fixture.expected())
  }

  /// One final row, changed by hand before it is written.
  private func damaged(_ change: (inout Session) -> Void, name: String) throws -> Fixture {
    let fixture = try Fixture()
    var session = Session(
      visitor: 0, first: Fixture.start, last: Fixture.start, updatedAt: 1, eventCount: 1,
      isIdentified: true)
    change(&session)
    let writer = SessionFilesWriter(
      fixture.sessions.writing("part"), isFinal: false, limits: .cold)
    var name = name
    try name.withUTF8 { try writer.append(session, visitor: UnsafeRawBufferPointer($0)) }
    try fixture.commit(try writer.finish().map(Action.add))
    return fixture
  }

  @Test func `times that no session has are refused by file and row`() throws {
    let changes: [(inout Session) -> Void] = [
      { $0.last -= 1 }, { $0.first = -62_135_596_800_000_001 },
      { $0.last = 253_402_300_800_000_000 }, { $0.eventCount = -1 },
    ]
    for change in changes {
      let fixture = try damaged(change, name: "v")
      let error = #expect(throws: PipelineError.self) { try fixture.restart() }
      #expect(error?.code == "SESSIONS_DAMAGED")
      #expect(error?.message.contains("part-") == true)
      #expect(error?.message.contains("row 0") == true)
    }
  }
}
