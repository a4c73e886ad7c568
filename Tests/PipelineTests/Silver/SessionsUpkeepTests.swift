import Clickstream
import DeltaLake
import Foundation
import Testing

@testable import Pipeline

@Suite struct SessionsUpkeepTests {
  typealias Fixture = SessionsFixture
  typealias Event = SessionsFixture.Event

  private static let limit = 8 << 20

  /// Writes sessions as a batch writes the ones that became final.
  private func write(
    _ count: Int, to fixture: Fixture, name: (Int) -> String
  ) throws -> [AddFile] {
    let writer = SessionFilesWriter(
      fixture.sessions.writing("part"), isFinal: true, limits: .cold)
    for index in 0..<count {
      let first = Fixture.start + Int64(index) * 1000
      let session = Session(
        visitor: 0, first: first, last: first + Int64(index % 1800) * 1_000_000,
        updatedAt: Fixture.start, eventCount: 3, pageViewCount: 3, isIdentified: true)
      var name = name(index)
      try name.withUTF8 { try writer.append(session, visitor: UnsafeRawBufferPointer($0)) }
    }
    return try writer.finish()
  }

  /// Characters in no order, more of them than a page has.
  private static let characters: [UInt8] = {
    let all = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/".utf8)
    var state: UInt64 = 7
    return (0..<4 << 20).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return all[Int(state >> 58)]
    }
  }()

  /// A name that hardly compresses.
  private func noise(_ index: Int, length: Int) -> String {
    let start = index * length % (Self.characters.count - min(length, 4 << 20) + 1)
    let pieces = Self.characters[start...].prefix(length)
    let rest = length - pieces.count
    return String(decoding: pieces, as: UTF8.self) + (rest > 0 ? noise(1, length: rest) : "")
  }

  @Test func `no file passes 8 MiB, whatever visitors are called`() throws {
    let fixture = try Fixture()
    var files = try write(40_000, to: fixture) { noise($0, length: 300) }
    #expect(files.count >= 2)
    #expect(files.dropLast().allSatisfy { $0.size > 5 << 20 }, "\(files.map(\.size))")
    files += try write(400, to: fixture) { noise($0, length: $0 % 2 == 0 ? 40_000 : 5) }
    files += try write(12, to: fixture) { noise($0, length: 1_500_000) }
    files += try write(300, to: fixture) { String(repeating: "long", count: $0 * 300) }
    #expect(files.allSatisfy { $0.size <= Self.limit }, "\(files.map(\.size))")
    try fixture.commit(files.map(Action.add))
    #expect(try StoredSession.read(fixture.table).count == 40_712)
  }

  @Test func `a row larger than a file has a file for itself`() throws {
    let fixture = try Fixture()
    let files = try write(3, to: fixture) { noise($0, length: $0 == 1 ? 9 << 20 : 10) }
    #expect(files.count == 3)
    #expect(files.filter { $0.size > Self.limit }.map(\.rowCount) == [1])
  }

  // MARK: Compaction

  private func manyFinalFiles(_ count: Int64) throws -> (Fixture, Int64) {
    let fixture = try Fixture()
    var now = Fixture.start
    for hour in 0...count + 1 {
      now = Fixture.start + hour * Fixture.hour
      var events = [Event(visitor: "v\(hour)", time: now), Event(visitor: "w", time: now + 1)]
      if hour == 3 { events.append(Event(visitor: "old", time: now - 900 * Fixture.day)) }
      try fixture.run(events, at: now)
    }
    return (fixture, now)
  }

  @Test func `sixteen small final files become one, no row changes`() throws {
    let (fixture, now) = try manyFinalFiles(17)
    let (rows, files) = (try StoredSession.read(fixture.table), fixture.sessions.final.count)
    #expect(files >= 17)
    let done = try fixture.sessions.compactIfDue(
      namePrefix: "clickstream_silver-optimize", now: now / 1000)
    #expect(done?.removedFiles == 16 && done?.addedFiles == 1)
    #expect(fixture.sessions.final.count == files - 15)
    #expect(try StoredSession.read(fixture.table) == rows)
    let actions = try fixture.table.actions(ofVersion: fixture.table.snapshot.version) ?? []
    #expect(actions.commitInfo?.operation == "OPTIMIZE")
    for case .add(let file) in actions { #expect(!file.dataChange) }
    for case .remove(let file) in actions { #expect(!file.dataChange) }
    #expect(
      try fixture.sessions.compactIfDue(
        namePrefix: "clickstream_silver-optimize", now: now / 1000) == nil)
    let late = Event(visitor: "v5", time: Fixture.start + 5 * Fixture.hour + 9)
    try fixture.run([late], at: now + 1000)
    #expect(try fixture.truths() == fixture.expected())
  }

  @Test func `a compaction leaves the file with a session of long ago out`() throws {
    let (fixture, now) = try manyFinalFiles(20)
    let old = fixture.sessions.final.filter {
      $0.firsts.lowerBound < Fixture.start - 800 * Fixture.day
    }
    #expect(old.count == 1)
    _ = try fixture.sessions.compactIfDue(
      namePrefix: "clickstream_silver-optimize", now: now / 1000)
    #expect(fixture.sessions.final.contains { $0.add.path == old.first?.add.path })
  }

  @Test func `sessions of long ago wait for their like, but not for ever`() throws {
    func file(_ index: Int64, at first: Int64) throws -> SessionFile {
      let instant = first + index * Fixture.minute
      return try SessionFile(
        AddFile(
          path: "f\(index)-\(first)", partitionValues: ["is_final": "true"], size: 5000,
          modificationTime: 0, stats: Self.statistics(instant)), table: "")
    }
    let recent = try (0..<10 as Range<Int64>).map { try file($0, at: Fixture.start) }
    let old = try (0..<15 as Range<Int64>).map { try file($0, at: $0 * 500 * Fixture.day) }
    #expect(SessionsTable.filesToJoin(recent + old) == nil)
    let further = try (10..<17 as Range<Int64>).map { try file($0, at: Fixture.start) }
    let joined = SessionsTable.filesToJoin(recent + old + further)
    #expect(joined?.count == 16)
    #expect(joined?.allSatisfy { $0.firsts.lowerBound >= Fixture.start } == true)
    let many = try (0..<64 as Range<Int64>).map { try file($0, at: $0 * 500 * Fixture.day) }
    #expect(SessionsTable.filesToJoin(many)?.count == 16)
  }

  private static func statistics(_ instant: Int64) -> String {
    let text = Date(timeIntervalSince1970: Double(instant / 1_000_000)).ISO8601Format()
    let values = #"{"first_event_ts":"\#(text)","last_event_ts":"\#(text)"}"#
    return #"{"numRecords":1,"minValues":\#(values),"maxValues":\#(values)}"#
  }

  @Test func `joined files keep below 8 MiB, in the order of time`() throws {
    let fixture = try Fixture()
    for file in 0..<16 {
      let adds = try write(4000, to: fixture) { noise(file * 4000 + $0, length: 300) }
      #expect(adds.count == 1)
      try fixture.commit(adds.map(Action.add))
    }
    try fixture.restart()
    let done = try fixture.sessions.compactIfDue(namePrefix: "clickstream_silver-optimize", now: 1)
    #expect(done?.removedFiles == 16)
    #expect((3...8).contains(done?.addedFiles ?? 0), "\(String(describing: done))")
    let files = fixture.sessions.final.sorted { $0.firsts.lowerBound < $1.firsts.lowerBound }
    #expect(files.allSatisfy { $0.size <= Self.limit })
    for (file, next) in zip(files, files.dropFirst()) {
      #expect(file.firsts.upperBound <= next.firsts.lowerBound + 999)
    }
    #expect(files.reduce(0) { $0 + ($1.rows ?? 0) } == 64_000)
  }

  @Test func `files that cannot become fewer are left alone, once tried`() throws {
    let fixture = try Fixture()
    for _ in 0..<16 {
      let long = String(repeating: "long", count: 1_100_000)
      try fixture.commit(try write(1, to: fixture) { _ in long }.map(Action.add))
    }
    try fixture.restart()
    let (version, names) = (fixture.table.snapshot.version, try dataFiles(fixture))
    for _ in 0..<2 {
      #expect(
        try fixture.sessions.compactIfDue(namePrefix: "clickstream_silver-optimize", now: 1) == nil)
    }
    #expect(fixture.table.snapshot.version == version)
    #expect(try dataFiles(fixture) == names)
    #expect(fixture.sessions.unjoinable.count == 16)
  }

  // MARK: Vacuum

  @Test func `removed files go after the retention, and the search for them is rare`() throws {
    let (fixture, _) = try manyFinalFiles(3)
    fixture.configuration.silver.removedFileRetention = .seconds(3600)
    try fixture.restart()
    let removed = try dataFiles(fixture).count - fixture.table.liveFiles().count
    #expect(removed >= 4)
    // Files and tombstones are from now or from the batches, which lie before.
    let soon = wallClockMilliseconds() + 1000
    #expect(try fixture.sessions.vacuumIfDue(now: soon).isEmpty)
    let later = soon + 3_600_001
    fixture.sessions.lastVacuum = later - 359_999
    #expect(try fixture.sessions.vacuumIfDue(now: later).isEmpty)
    fixture.sessions.lastVacuum = later - 360_000
    #expect(try fixture.sessions.vacuumIfDue(now: later).count == removed)
    #expect(try fixture.truths() == fixture.expected())
    #expect(try dataFiles(fixture).count == fixture.table.liveFiles().count)
  }
}
