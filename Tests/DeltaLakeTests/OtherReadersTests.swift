import DurableIO
import Foundation
import JSON
import Testing

@testable import DeltaLake

/// Our tables as deltalake, Polars and DuckDB see them, value for value.
@Suite(.enabled(if: Python.path != nil, Python.missing))
struct OtherReadersTests {
  private func expectAgreement(_ table: DeltaTable, rows: Int) throws {
    let ours = try TableRows.read(table)
    #expect(ours.count == rows)
    let theirs = try Python.read(table.path)
    #expect(Set(theirs.keys) == ["deltalake", "polars", "duckdb"])
    for (reader, found) in theirs { #expect(found == ours, "\(reader)") }
  }

  @Test func `every type and every null is read before and after a checkpoint and clean-up`() throws
  {
    let place = try TemporaryTable()
    let table = try place.create(
      TemporaryTable.metadata(configuration: ["delta.appendOnly": "true"]))
    var batch: Int64 = 0
    for _ in 0..<3 {
      try place.append([.full(batch), TestRow(), .full(batch + 100)], to: table, batch: batch)
      batch += 1
    }
    try expectAgreement(table, rows: 9)
    try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
    try expectAgreement(table, rows: 9)
    let later = Int64(Date().timeIntervalSince1970 * 1000) + 60_000
    let removed = try table.cleanUpLog(
      keepingFrom: .max, retention: 0, now: later, publisher: place.publisher)
    #expect(removed.count == 3)
    try expectAgreement(try place.reopened(), rows: 9)
    try place.append([.full(50)], to: table, batch: batch)
    try expectAgreement(table, rows: 10)
  }

  @Test func `a partitioned table with accounting in commitInfo is read`() throws {
    let place = try TemporaryTable()
    let schema = StructType([
      StructField("number", .long), StructField("flag", .boolean), StructField("at", .timestamp),
    ])
    let table = try place.create(
      TemporaryTable.metadata(schema: schema, partitionColumns: ["flag"]))
    for (index, flag) in ["true", "false", nil].enumerated() {
      let files = try place.stage(
        [TestRow(number: Int64(index), at: 5), TestRow(at: 7)], of: table,
        partition: [(column: "flag", value: flag)])
      var info = TemporaryTable.info()
      let carried = files.map { Action.add($0).line.replacing("part-", with: "other-") }
      let accounting =
        #"{"query":"q","batch":\#(index),"second":{"table":"t","actions":[\#(carried[0])]}}"#
      info.shopmetrics = try JSONValue.parse(accounting).objectValue
      let transaction = SetTransaction(appID: "q", version: Int64(index), lastUpdated: nil)
      _ = try table.commitAppend(
        [.transaction(transaction)] + files.map(Action.add), info: info,
        publisher: place.publisher, role: .tableCommit)
    }
    try expectAgreement(table, rows: 6)
    try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
    try expectAgreement(table, rows: 6)
  }

  @Test func `compaction and a column that was added are read`() throws {
    let place = try TemporaryTable()
    let table = try place.create(
      TemporaryTable.metadata(schema: StructType([StructField("number", .long)])))
    try place.append([TestRow(number: 1)], to: table)
    let metadata = try table.snapshot.metadata.adding([StructField("name", .string)])
    _ = try table.commit(
      [.metadata(metadata)], info: TemporaryTable.info("ADD COLUMNS", append: false),
      expecting: 1, publisher: place.publisher, role: .tableCommit)
    try place.append([TestRow(name: "ü", number: 2)], to: table)
    try expectAgreement(table, rows: 2)
    let old = try table.liveFiles()
    let new = try place.stage([TestRow(number: 1), TestRow(name: "ü", number: 2)], of: table)
    let removals = old.map { Action.remove($0.removal(at: TemporaryTable.now, dataChange: false)) }
    _ = try table.commit(
      removals + new.map(Action.add), info: TemporaryTable.info("OPTIMIZE", append: false),
      expecting: 3, publisher: place.publisher, role: .tableCommit)
    try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
    try expectAgreement(table, rows: 2)
  }

  @Test func `others see our transactions, our history and our statistics`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 3)
    try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
    let script = """
      t = DeltaTable(table)
      print(t.version(), t.transaction_version('query'), t.transaction_version('other'))
      print(t.protocol().min_reader_version, t.protocol().min_writer_version)
      print(t.history()[0]['operation'])
      actions = pa.table(t.get_add_actions(flatten=True)).to_pylist()
      print(sorted(a['max.number'] for a in actions))
      print(duck().execute(
          f"SELECT count(*) FROM delta_scan('{table}') WHERE number >= 2").fetchone()[0])
      """
    #expect(
      try Python.run(script, place.path) == [
        "3 2 None", "1 2", "STREAMING UPDATE", "[0, 1, 2]", "1",
      ])
  }

  @Test func `statistics of long strings and of instants never hide a row`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    let long = String(repeating: "z", count: 40)
    let highest = String(repeating: "\u{10FFFF}", count: 40)
    for (name, at) in [(long, 1_999), (highest, -1), (long + "ü", 1_000_000)] as [(String, Int64)] {
      try place.append([TestRow(name: name, at: at)], to: table)
    }
    let script = """
      c = duck()
      scan = f"SELECT count(*) FROM delta_scan('{table}') WHERE "
      for name in ['z' * 40, '\\U0010ffff' * 40, 'z' * 40 + 'ü']:
          print(c.execute(scan + 'name = ?', [name]).fetchone()[0])
      for at in ['1970-01-01 00:00:00.001999+00', '1969-12-31 23:59:59.999999+00']:
          print(c.execute(scan + '"at" = ?::TIMESTAMPTZ', [at]).fetchone()[0])
      """
    #expect(try Python.run(script, place.path) == ["1", "1", "1", "1", "1"])
  }

  @Test func `an append of delta-rs between our commits moves ours behind it`() throws {
    let place = try TemporaryTable()
    let schema = StructType([StructField("number", .long), StructField("name", .string)])
    let table = try place.create(TemporaryTable.metadata(schema: schema))
    let script = """
      rows = pa.table({'number': pa.array([7], pa.int64()), 'name': ['theirs']})
      write_deltalake(table, rows, mode='append', commit_properties=CommitProperties(
          app_transactions=[Transaction('theirs', 3)]))
      """
    for batch in Int64(0)..<3 {
      try place.append([TestRow(name: "ours", number: batch)], to: table, batch: batch)
      _ = try Python.run(script, place.path)
      let result = try place.append(
        [TestRow(name: "ours", number: 10 + batch)], to: table, app: "second", batch: batch)
      #expect(result == .committed(version: batch * 3 + 3))
    }
    #expect(table.snapshot.transactions == ["query": 2, "second": 2, "theirs": 3])
    try expectAgreement(table, rows: 9)
  }

  @Test func `delta-rs maintains our table and we read it on`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 5)
    let before = try TableRows.read(table)
    let script = """
      t = DeltaTable(table)
      t.optimize.compact()
      t.create_checkpoint()
      t.cleanup_metadata()
      t.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
      """
    _ = try Python.run(script, place.path)
    let change = try table.refresh()
    #expect(change.versions >= 1)
    #expect(!change.metadataChanged && !change.protocolChanged)
    #expect(try TableRows.read(table) == before)
    #expect(table.snapshot.transactionVersion(of: "query") == 4)
    try place.append([TestRow(number: 77)], to: table, batch: 5)
    try expectAgreement(try place.reopened(), rows: 6)
  }
}
