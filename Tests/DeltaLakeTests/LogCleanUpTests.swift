import DurableIO
import Foundation
import Testing

@testable import DeltaLake

struct LogCleanUpTests {
  private let hour: Int64 = 3_600_000
  private let now = TemporaryTable.now

  /// Versions 0 to 12, one hour apart, the newest one at `now`; checkpoints at 4, 8 and 12.
  private func aged(_ configuration: [String: String] = [:]) throws -> (TemporaryTable, DeltaTable)
  {
    let place = try TemporaryTable()
    let table = try place.create(TemporaryTable.metadata(configuration: configuration))
    for batch in 0..<12 {
      try place.append([TestRow(number: Int64(batch))], to: table, batch: Int64(batch))
      _ = try table.writeCheckpointIfDue(interval: 4, now: now, publisher: place.publisher)
    }
    for version in 0...12 {
      let time = now - Int64(12 - version) * hour
      try place.setTime(place.commitFile(Int64(version)), milliseconds: time)
    }
    return (place, try place.reopened())
  }

  private func cleanUp(
    _ table: DeltaTable, _ place: TemporaryTable, keepingFrom version: Int64 = .max,
    retention: Int64, now: Int64? = nil
  ) throws -> [String] {
    try table.cleanUpLog(
      keepingFrom: version, retention: retention, now: now ?? self.now,
      publisher: place.publisher)
  }

  private func versions(_ place: TemporaryTable) throws -> [Int64] {
    LogListing(names: try place.logNames()).commits
  }

  @Test func `what is older than the newest checkpoint before the cut-off goes`() throws {
    let (place, table) = try aged()
    // The cut-off is at version 9: the checkpoint at 8 and its commit stay.
    let removed = try cleanUp(table, place, retention: 3 * hour)
    #expect(removed.count == 9)
    #expect(try versions(place) == Array(8...12))
    #expect(try place.logNames().filter { $0.contains("checkpoint") }.count == 3)
    let read = try place.reopened()
    #expect(read.snapshot.warnings.isEmpty)
    #expect(try TableRows.read(read).count == 12)
    #expect(try cleanUp(read, place, retention: 3 * hour).isEmpty)
  }

  @Test(arguments: [(100, 0), (9, 0), (8, 4), (5, 4), (4, 8), (1, 8), (0, 12)] as [(Int64, Int64)])
  func `every version within the retention stays readable`(hours: Int64, first: Int64) throws {
    let (place, table) = try aged()
    _ = try cleanUp(table, place, retention: hours * hour)
    #expect(try versions(place).first == first)
  }

  @Test(arguments: [(3, 0), (4, 4), (7, 4), (8, 8), (11, 8), (12, 12)] as [(Int64, Int64)])
  func `a consumer keeps the commits from its version on`(
    consumer: Int64, first: Int64
  ) throws {
    let (place, table) = try aged()
    _ = try cleanUp(table, place, keepingFrom: consumer, retention: 0)
    #expect(try versions(place).first == first)
    #expect(try table.actions(ofVersion: max(consumer, first)) != nil)
  }

  @Test func `nothing goes while the clock is behind the newest commit`() throws {
    let (place, table) = try aged()
    let error = #expect(throws: DeltaError.self) {
      try cleanUp(table, place, retention: 0, now: now - 1)
    }
    #expect(error?.code == .clockWentBack)
    #expect(try versions(place) == Array(0...12))
  }

  @Test func `nothing goes when the checkpoint that would stay cannot be read`() throws {
    let (place, table) = try aged()
    try place.overwrite(place.logFile(LogPath.checkpointName(8)), "PAR1 no more")
    let error = #expect(throws: DeltaError.self) {
      try cleanUp(table, place, retention: 3 * hour)
    }
    #expect(error?.code == .damagedCheckpoint)
    #expect(try versions(place) == Array(0...12))
  }

  @Test func `nothing goes when the table says so`() throws {
    let (place, table) = try aged(["delta.enableExpiredLogCleanup": "false"])
    #expect(try cleanUp(table, place, retention: 0).isEmpty)
    #expect(try versions(place) == Array(0...12))
  }

  @Test func `a checkpoint whose own commit is gone is passed over`() throws {
    let (place, table) = try aged()
    try Files.remove(place.commitFile(8).path)
    // Reading goes on from the checkpoint at 12; the one at 8 is no longer a place to begin.
    _ = try cleanUp(table, place, keepingFrom: 9, retention: 0)
    #expect(try versions(place).first == 4)
  }

  @Test func `a hint to a checkpoint that goes is set right first`() throws {
    let (place, table) = try aged()
    try place.overwrite(place.logFile("_last_checkpoint"), #"{"version":4,"size":6}"#)
    _ = try cleanUp(table, place, retention: 3 * hour)
    let hint = try Data(contentsOf: place.logFile("_last_checkpoint"))
    #expect(LastCheckpoint(Array(hint))?.version == 12)
  }

  @Test func `checksums of removed versions go with them`() throws {
    let (place, table) = try aged()
    let names = ["00000000000000000003.crc", "00000000000000000010.crc"]
    for name in names { try place.overwrite(place.logFile(name), "{}") }
    try place.overwrite(place.logFile("notes.txt"), "mine")
    _ = try cleanUp(table, place, retention: 3 * hour)
    let left = try place.logNames()
    #expect(!left.contains(names[0]))
    #expect(left.contains(names[1]) && left.contains("notes.txt"))
  }
}
