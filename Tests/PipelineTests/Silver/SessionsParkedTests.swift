import Clickstream
import DeltaLake
import Foundation
import Testing

@testable import Pipeline

func dataFiles(_ fixture: SessionsFixture) throws -> [String] {
  try FileManager.default.subpathsOfDirectory(atPath: fixture.path)
    .filter { $0.hasSuffix(".parquet") }.sorted()
}

@Suite struct SessionsParkedTests {
  typealias Fixture = SessionsFixture
  typealias Event = SessionsFixture.Event

  @Test func `sessions of the future are parked until their time comes`() throws {
    let fixture = try Fixture()
    let future = (1...20 as ClosedRange<Int64>).map { index in
      Event(visitor: "f\(index)", time: Fixture.start + index * 30 * Fixture.minute)
    }
    try fixture.run(future + [Event(visitor: "now", time: Fixture.start)], at: Fixture.start)
    #expect(fixture.sessions.parked.count == 1)
    #expect(fixture.set.count == 1)
    var hot: [Int] = []
    for step in 1...22 as ClosedRange<Int64> {
      let now = Fixture.start + step * 30 * Fixture.minute
      if step % 5 == 0 { try fixture.restart() }
      try fixture.run([Event(visitor: "now", time: now - 1)], at: now)
      hot.append(fixture.set.count)
      #expect(try fixture.truths() == fixture.expected())
    }
    #expect(fixture.sessions.parked.isEmpty)
    #expect(hot.allSatisfy { $0 <= 6 }, "\(hot)")
    #expect(try StoredSession.read(fixture.table).filter(\.isFinal).count >= 19)
  }

  @Test func `the number of parked files does not grow with the batches`() throws {
    let fixture = try Fixture()
    var greatest = 0
    for batch in 0..<60 as Range<Int64> {
      let now = Fixture.start + batch * Fixture.minute
      let far = now + (batch % 7 + 1) * 400 * Fixture.day
      try fixture.run(
        [
          Event(visitor: "near\(batch)", time: now + 12 * Fixture.hour),
          Event(visitor: "far\(batch % 11)", time: far), Event(visitor: "now", time: now),
        ], at: now)
      greatest = max(greatest, fixture.sessions.parked.count)
    }
    #expect(greatest == 2)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `an event extends a parked session, and one becomes hot by it`() throws {
    let fixture = try Fixture()
    let parked = Fixture.start + 25 * Fixture.minute
    try fixture.run([Event(visitor: "v", time: parked)], at: Fixture.start)
    #expect(fixture.sessions.parked.count == 1 && fixture.sessions.hot.isEmpty)
    try fixture.run([Event(visitor: "v", time: parked + 5)], at: Fixture.start + 1000)
    #expect(fixture.sessions.parked.count == 1)
    try fixture.run([Event(visitor: "v", time: Fixture.start)], at: Fixture.start + 2000)
    #expect(fixture.sessions.parked.isEmpty && fixture.sessions.hot.count == 1)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `a session within a millisecond of the boundary is where statistics find it`() throws {
    let fixture = try Fixture()
    let boundary = Fixture.start + Fixture.lateness
    let near = (-2...2 as ClosedRange<Int64>).flatMap { step in
      [boundary + step * 500, boundary + step * 1000 + 1]
    }
    for (index, time) in near.enumerated() {
      try fixture.run([Event(visitor: "v\(index)", time: time)], at: Fixture.start)
    }
    try fixture.restart()
    let rows = try StoredSession.read(fixture.table)
    #expect(fixture.set.count == rows.count { $0.first < boundary + 1000 })
    try fixture.run([Event(visitor: "v0", time: Fixture.start)], at: Fixture.start + 1000)
    #expect(try fixture.truths() == fixture.expected())
  }
}
