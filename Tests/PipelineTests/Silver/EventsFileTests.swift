import Clickstream
import DeltaLake
import DurableIO
import Foundation
import Parquet
import Testing

@testable import Pipeline

/// How the events table is laid out and kept in shape.
struct EventsFileTests {
  private static let now = EventsFixture.now
  private static let day: Int64 = 86_400_000_000

  @Test func `late and early events lie in files of their own, sorted`() throws {
    let fixture = try EventsFixture()
    let late = [5, 3, 9, 1].map { fixture.event("l\($0)", at: Self.now - Self.day * $0) }
    let early = [4, 2].map { fixture.event("e\($0)", at: Self.now + Self.day * $0) }
    let main = (0..<5).map { fixture.event("m\($0)", at: Self.now + Int64($0)) }
    let outcome = try fixture.ingest(late + main + early, lateBefore: Self.now - 1)
    let table = fixture.events.table
    func rows(_ mark: String) throws -> [Int64] {
      let file = try #require(
        outcome.staged.adds.first { EventFile($0).asideMark == mark })
      return try fixture.rows(of: file, table).map(\.time)
    }
    #expect(outcome.staged.adds.count == 3)
    #expect(try rows("-late") == [9, 5, 3, 1].map { Self.now - Self.day * $0 })
    #expect(try rows("-early") == [2, 4].map { Self.now + Self.day * $0 })
    #expect(try rows("") == (0..<5).map { Self.now + $0 })
    #expect(try fixture.isExact())
  }

  @Test func `the schema is Bronze's without the rescued fields`() {
    let declared = StructField("price", .double)
    let bronze = StructType(BronzeSchema.raw.fields + [declared])
    let names = EventsSchema.of(bronze: bronze).fields.map(\.name)
    #expect(names == bronze.fields.map(\.name).filter { $0 != "rescued_data" })
    #expect(names.last == "price")
  }

  @Test func `sixteen small files become one that says the same, the earliest first`() throws {
    let fixture = try EventsFixture()
    for batch in (0..<16).reversed() {
      #expect(try fixture.compact() == nil)
      try fixture.ingest(
        (0..<30).map { fixture.event("\(batch)/\($0)", at: Self.now + Int64(batch * 7 + $0)) })
    }
    let result = try #require(try fixture.compact())
    #expect(result.fileCount == 16)
    #expect(fixture.events.files.count == 1)
    // Whole row groups in the order of their first events: batch 15 was ingested first.
    let times = (0..<16).flatMap { batch in (0..<30).map { Self.now + Int64(batch * 7 + $0) } }
    #expect(try fixture.stored().map(\.time) == times)
    #expect(try fixture.isExact())
    let actions = try #require(try fixture.events.table.actions(ofVersion: result.version))
    #expect(actions.commitInfo?.operation == "OPTIMIZE")
    for action in actions {
      switch action {
      case .add(let file): #expect(!file.dataChange && file.rowCount == 480)
      case .remove(let file): #expect(!file.dataChange)
      default: break
      }
    }
    #expect(try fixture.ingest(Array(fixture.ingested.prefix(5))).duplicateCount == 5)
    #expect(try fixture.compact() == nil)
  }

  @Test func `late rows stay apart when files are merged`() throws {
    let fixture = try EventsFixture()
    for batch in 0..<16 {
      try fixture.ingest(
        [
          fixture.event("m\(batch)", at: Self.now + Int64(batch)),
          fixture.event("l\(batch)", at: Self.now - Self.day * Int64(batch + 1)),
        ], lateBefore: Self.now)
    }
    while try fixture.compact() != nil {}
    #expect(fixture.events.files.values.map(\.asideMark).sorted() == ["", "-late"])
    for file in fixture.events.files.values {
      #expect((file.times.upperBound < Self.now) == (file.asideMark == "-late"))
    }
    #expect(try fixture.isExact())
  }

  @Test func `a merge that another writer overtakes leaves nothing behind`() throws {
    let fixture = try EventsFixture()
    for batch in 0..<16 { try fixture.ingest([fixture.event("\(batch)")]) }
    let before = try fixture.dataFiles()
    let other = try #require(try DeltaTable.open(path: fixture.events.table.path))
    let result = try other.commit(
      [], info: CommitInfo(timestamp: 0, operation: "X", isBlindAppend: true, engineInfo: "test/1"),
      expecting: other.snapshot.version, publisher: fixture.publisher, role: .tableCommit)
    guard case .committed = result else {
      Issue.record("the other writer did not commit: \(result)")
      return
    }
    #expect(try fixture.compact() == nil)
    #expect(try fixture.dataFiles() == before)
    #expect(fixture.events.files.count == 16)
  }

  @Test func `files of other programs count, rows without an id equal no event`() throws {
    let fixture = try EventsFixture()
    let rows = [fixture.event("a"), fixture.event("b")]
    try fixture.appendForeign(rows, without: ["product_id", "page"])
    try fixture.appendForeign([fixture.event("a")], without: ["event_id"])
    try fixture.reopen()
    #expect(try fixture.ingest([fixture.event("a"), fixture.event("c")]).duplicateCount == 1)
  }

  @Test func `an old file without a column is written again with nulls in it`() throws {
    let fixture = try EventsFixture()
    let early = fixture.event("a", ingestedAt: Self.now - 10)
    try fixture.appendForeign([fixture.event("a"), fixture.event("b")], without: ["page"])
    try fixture.reopen()
    let outcome = try fixture.ingest([early])
    #expect(outcome.corrections.count == 1)
    #expect(try fixture.stored().map(\.id).sorted() == ["a", "b"])
  }

  @Test func `a stored event without a position stops the batch by name`() throws {
    let fixture = try EventsFixture()
    try fixture.appendForeign([fixture.event("a")], without: ["kafka_offset"])
    try fixture.reopen()
    let error = #expect(throws: PipelineError.self) {
      try fixture.ingest([fixture.event("a")])
    }
    #expect(error?.code == "TABLE_DAMAGED")
    #expect(error?.message.contains("kafka_offset") == true)
  }
}

extension EventsFixture {
  func compact() throws -> EventsTable.Compaction? {
    try events.compact(namePrefix: "clickstream_silver-compact", timestampMs: Self.now / 1000)
  }

  /// Commits a file that lacks some columns and statistics.
  func appendForeign(_ rows: [BronzeEvent], without columns: [String]) throws {
    let schema = events.table.snapshot.schema.without(columns)
    let writer = DataFileWriter(
      DataFileWriter.Target(
        tablePath: events.table.path, schema: schema, options: WriterOptions(codec: .snappy),
        fileBytes: 1 << 20),
      publisher: publisher, role: .tableData, namePrefix: "foreign")
    try writer.writeRowGroup(try Self.columns(rows, schema))
    let files = try writer.finish().map { file in
      var file = file
      file.stats = nil
      return file
    }
    _ = try events.table.commitAppend(
      files.map(Action.add),
      info: CommitInfo(timestamp: 0, operation: "WRITE", isBlindAppend: true, engineInfo: "test/1"),
      publisher: publisher, role: .tableCommit)
  }
}
