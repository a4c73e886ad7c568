import DeltaLake
import DurableIO
import Foundation
import Testing

@testable import Pipeline

@Suite("Verification of Silver that is not damaged")
struct VerifySilverStateTests {
  @Test func `Silver that the daemon made is sound`() throws {
    let report = try VerifySilverFixture().verify(isDeep: true)
    #expect(report.findings.map(\.description) == [])
    #expect(report.notes == [])
    let silver = try #require(report.silver)
    let rows = VerifySilverFixture.bronzeRows
    #expect(silver.events == Int64(VerifySilverFixture.uniqueEvents.count))
    #expect(silver.recomputedRows == Int64(rows.count))
    #expect(silver.events < Int64(rows.count))
    #expect(silver.sessions > 60 && silver.batches == 3)
    #expect((1..<silver.sessions).contains(silver.openSessions))
  }

  @Test(arguments: [1, 7, 50, 10_000])
  func `The size of the shares changes nothing`(rows: Int) throws {
    let report = try VerifySilverFixture().verify(isDeep: true, rows: rows)
    #expect(report.findings.map(\.description) == [])
    #expect(report.silver?.recomputedRows == Int64(VerifySilverFixture.bronzeRows.count))
  }

  @Test func `Files that were written anew with the same rows are sound`() throws {
    let fixture = try VerifySilverFixture()
    try fixture.editEvents { $0.reverse() }
    try fixture.editSessions { $0.reverse() }
    let report = try fixture.verify(isDeep: true)
    #expect(report.findings.map(\.description) == [])
  }

  @Test func `Silver that is behind Bronze is compared where it stands`() throws {
    let fixture = try VerifySilverFixture()
    try fixture.appendToBronze([VerifySilverFixture.oneMoreRow])
    let report = try fixture.verify(isDeep: true)
    #expect(report.findings.map(\.description) == [])
    #expect(report.notes.count == 1)
    #expect(report.notes.allSatisfy { $0.contains("Silver is behind Bronze") })
    #expect(report.silver?.recomputedRows == Int64(VerifySilverFixture.bronzeRows.count))
  }

  @Test func `A Silver batch that waits for its end is a note, and no finding`() throws {
    let fixture = try VerifySilverFixture()
    let newest = try fixture.newestBatch()
    let commit = try fixture.commitFile(of: newest, in: fixture.paths.events)
    try fixture.remove(fixture.paths.silverCheckpoint + "/commits/\(newest)")
    for isLate in [false, true] {
      if isLate { try fixture.remove(commit) }
      let report = try fixture.verify(isDeep: true)
      #expect(report.findings.map(\.description) == [])
      #expect(report.notes.count == 1)
      #expect(report.notes.allSatisfy { $0.contains("row D") })
    }
  }

  @Test func `A logged Silver batch that is in no table is a note, and no finding`() throws {
    let fixture = try VerifySilverFixture()
    let newest = try fixture.newestBatch()
    let commits = try [fixture.paths.sessions, fixture.paths.events].map {
      try fixture.commitFile(of: newest, in: $0)
    }
    try fixture.remove(fixture.paths.silverCheckpoint + "/commits/\(newest)")
    for commit in commits { try fixture.remove(commit) }
    let report = try fixture.verify(isDeep: true)
    #expect(report.findings.map(\.description) == [])
    #expect(report.notes.contains { $0.contains("row C") })
    #expect(report.notes.count { $0.contains("data files that no commit names") } == 2)
  }

  @Test func `Rebuilt tables are sound`() throws {
    let fixture = try VerifySilverFixture()
    try fixture.rebuild()
    let report = try fixture.verify(isDeep: true)
    #expect(report.findings.map(\.description) == [])
    #expect(report.notes == [])
    try fixture.appendToBronze([VerifySilverFixture.oneMoreRow])
    try fixture.run()
    #expect(try fixture.verify(isDeep: true).findings.map(\.description) == [])
  }

  @Test func `An interrupted rebuild is a note, and no finding`() throws {
    let fixture = try VerifySilverFixture()
    try Files.makeDirectories(fixture.paths.silverRebuild)
    let report = try fixture.verify(isDeep: true)
    #expect(report.findings.map(\.description) == [])
    #expect(report.notes.count == 1)
    #expect(report.notes.allSatisfy { $0.contains("a rebuild is at work or was interrupted") })
  }

  @Test func `A rebuild killed behind its commit point is a note, and no finding`() throws {
    let fixture = try VerifySilverFixture()
    let live = SilverPaths.live(fixture.paths)
    let fresh = SilverPaths.rebuild(fixture.paths)
    let old = fixture.state + "/old"
    try FileManager.default.copyItem(atPath: live.checkpoint, toPath: old)
    try fixture.rebuild()
    let state = try SilverState(fixture.paths)
    let intent = RebuildIntent(
      queryID: try #require(state.queryID), batch: try fixture.newestBatch(), bronzeVersion: 4)
    let events = fixture.logFile(
      of: live.events, Int(try fixture.table(live.events).snapshot.version))
    try Files.makeDirectories(fixture.paths.silverRebuild)
    try Data(intent.bytes).write(
      to: URL(fileURLWithPath: "\(fixture.paths.silverRebuild)/\(RebuildIntent.name)"))

    for step in ["events", "checkpoint", "commit"] {
      switch step {
      case "events": break
      case "checkpoint":
        try FileManager.default.moveItem(atPath: live.checkpoint, toPath: fresh.checkpoint)
        try FileManager.default.copyItem(atPath: old, toPath: live.checkpoint)
      default: try fixture.remove(events)
      }
      let report = try fixture.verify(isDeep: true)
      #expect(report.findings.map(\.description) == [], Comment(rawValue: step))
      #expect(report.notes.count == 1, Comment(rawValue: step))
      #expect(report.notes.allSatisfy { $0.contains("a rebuild is taking the tables' place") })
    }
  }

  @Test func `No finding lets through what a terminal would obey, and a flood is counted`() throws {
    let fixture = try VerifySilverFixture()
    try fixture.editSessions { rows in
      for row in rows.indices { rows[row].searches = rows[row].events - rows[row].pageViews }
    }
    try fixture.editEvents { $0.removeSubrange(0..<40) }
    let report = try fixture.verify(isDeep: true)
    let deep = report.findings.filter { ["SESSION_DIFFERS", "EVENT_MISSING"].contains($0.code) }
    #expect((2...20).contains(deep.count))
    #expect(report.notes.contains { $0.contains("40 EVENT_MISSING") })
    let text = report.findings.map(\.description).joined()
    #expect(!text.unicodeScalars.contains { $0.value < 0x20 })
  }

  @Test func `Verification changes no file of Silver`() throws {
    let fixture = try VerifySilverFixture()
    func listing() throws -> [String] {
      let files = try FileManager.default.subpathsOfDirectory(atPath: fixture.state).sorted()
      return try files.map { "\($0) \(try #require(try Files.status("\(fixture.state)/\($0)")))" }
    }
    let before = try listing()
    #expect(before.count > 20)
    _ = try fixture.verify(isDeep: true)
    #expect(try listing() == before)
  }

  @Test func `Silver is sound at every moment while the daemon is at work on it`() throws {
    let fixture = VerifySilverFixture(state: VerifyFixture.newDirectory())
    let isDone = StopRequest()
    let failure = Failure()
    let daemon = Thread {
      do {
        for round in 0..<12 {
          let rows = VerifySilverFixture.bronzeRows.map { event in
            var event = event
            event.offset += Int64(1000 * round)
            event.time += Int64(round) * VerifySilverFixture.minute
            return event
          }
          try fixture.appendToBronze(rows)
          try fixture.run(isDrained: round % 2 == 0)
          if round % 6 == 5 { try fixture.rebuild() }
        }
      } catch { failure.text = "\(error)" }
      isDone.set()
    }
    daemon.start()
    var looks = 0
    var findings: [String] = []
    while !isDone.isSet {
      findings += try fixture.verify(isDeep: true).findings.map(\.description)
      looks += 1
    }
    let last = try fixture.verify(isDeep: true)
    #expect(failure.text == nil)
    #expect(findings == [])
    #expect(last.findings.map(\.description) == [])
    #expect(last.silver?.recomputedRows == Int64(12 * VerifySilverFixture.bronzeRows.count))
    #expect(looks > 3)
  }

  /// The error of the other thread.
  private final class Failure: @unchecked Sendable {
    // Safe because it is written before `isDone` is set and read after that was seen.
    var text: String?
  }
}
