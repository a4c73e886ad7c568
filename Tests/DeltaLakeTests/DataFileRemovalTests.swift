import DurableIO
import Foundation
import Testing

@testable import DeltaLake

struct DataFileRemovalTests {
  @Test func `files of the prefix that nobody names go and all others stay`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    try place.append([.full(1)], to: table)
    try place.append([.full(2)], to: table)
    let removed = try table.liveFiles()[0]
    _ = try table.commit(
      [.remove(removed.removal(at: TemporaryTable.now, dataChange: false))],
      info: TemporaryTable.info("OPTIMIZE", append: false), expecting: 2,
      publisher: place.publisher, role: .tableCommit)
    let pending = try place.stage([.full(3)], of: table)
    let orphan = try place.stage([.full(4)], of: table)
    let other = try place.stage([.full(5)], of: table, prefix: "other")
    let swept = try table.sweepOrphans(prefix: "part-", sparing: Set(pending.map(\.path)))
    #expect(swept == orphan.map(\.path))
    let left = try Files.list(place.path)
    #expect(left.contains(pending[0].path) && left.contains(other[0].path))
    #expect(left.contains(removed.path) && !left.contains(orphan[0].path))
    #expect(try TableRows.read(table) == [TestRow.full(2).text])
  }

  @Test func `orphans in partition folders are found`() throws {
    let place = try TemporaryTable()
    let table = try place.create(
      TemporaryTable.metadata(
        schema: StructType([StructField("number", .long), StructField("p", .string)]),
        partitionColumns: ["p"]))
    let partition = [(column: "p", value: Optional("a b/%"))]
    let files = try place.stage([TestRow(number: 1)], of: table, partition: partition)
    let orphans = try place.stage([TestRow(number: 2)], of: table, partition: partition)
    _ = try table.commitAppend(
      files.map(Action.add), info: TemporaryTable.info(), publisher: place.publisher,
      role: .tableCommit)
    let swept = try table.sweepOrphans(prefix: "part-", sparing: [])
    #expect(swept == orphans.map(\.filePath))
    #expect(try TableRows.read(table) == ["number=1|p=a b/%"])
  }

  // MARK: Vacuum

  private static let hour: Int64 = 3_600_000

  /// Versions 1 and 2 add a file each, version 3 replaces both by one; an orphan lies beside them.
  ///
  /// All files are two hours old, and so is the removal.
  private func compacted(
    _ place: TemporaryTable
  ) throws -> (table: DeltaTable, old: [AddFile], new: AddFile, orphan: AddFile) {
    let table = try place.create()
    try place.append([.full(1)], to: table)
    try place.append([.full(2)], to: table)
    let old = try table.liveFiles()
    let new = try place.stage([.full(1), .full(2)], of: table)
    let orphan = try place.stage([.full(3)], of: table)
    let time = TemporaryTable.now - 2 * Self.hour
    let removals = old.map { Action.remove($0.removal(at: time, dataChange: false)) }
    _ = try table.commit(
      removals + new.map(Action.add), info: TemporaryTable.info("OPTIMIZE", append: false),
      expecting: 2, publisher: place.publisher, role: .tableCommit)
    for name in try Files.list(place.path) where name.hasSuffix(".parquet") {
      try place.setTime(URL(fileURLWithPath: "\(place.path)/\(name)"), milliseconds: time)
    }
    for version in 0...3 {
      try place.setTime(place.commitFile(Int64(version)), milliseconds: time)
    }
    return (try place.reopened(), old, new[0], orphan[0])
  }

  private func vacuum(
    _ table: DeltaTable, keepingFrom version: Int64 = .max, hours: Int64, now: Int64? = nil,
    sparing: Set<String> = []
  ) throws -> Set<String> {
    Set(
      try table.vacuum(
        keepingFrom: version, retention: hours * Self.hour, now: now ?? TemporaryTable.now,
        sparing: sparing))
  }

  @Test func `vacuum removes what left the table longer ago than the retention`() throws {
    let place = try TemporaryTable()
    let (table, old, new, orphan) = try compacted(place)
    #expect(try vacuum(table, hours: 3).isEmpty)
    #expect(try vacuum(table, hours: 1) == Set(old.map(\.path) + [orphan.path]))
    #expect(try Files.list(place.path) == ["_delta_log", new.path])
    #expect(try TableRows.read(table).count == 2)
    #expect(try vacuum(table, hours: 1).isEmpty)
  }

  @Test(arguments: [1, 2, 3] as [Int64])
  func `vacuum keeps what a consumer still reads`(consumer: Int64) throws {
    let place = try TemporaryTable()
    let (table, old, _, orphan) = try compacted(place)
    let read = old.dropFirst(Int(consumer) - 1).map(\.path)
    let gone = Set(old.map(\.path) + [orphan.path]).subtracting(read)
    #expect(try vacuum(table, keepingFrom: consumer, hours: 1) == gone)
  }

  @Test func `vacuum keeps what a pending batch is about to commit`() throws {
    let place = try TemporaryTable()
    let (table, old, _, orphan) = try compacted(place)
    #expect(try vacuum(table, hours: 1, sparing: [orphan.path]) == Set(old.map(\.path)))
  }

  @Test func `vacuum does nothing while the clock is behind the newest commit`() throws {
    let place = try TemporaryTable()
    let (table, _, _, _) = try compacted(place)
    let error = #expect(throws: DeltaError.self) {
      try vacuum(table, hours: 0, now: TemporaryTable.now - 3 * Self.hour)
    }
    #expect(error?.code == .clockWentBack)
    #expect(try Files.list(place.path).count == 5)
  }
}
