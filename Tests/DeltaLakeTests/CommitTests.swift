import DurableIO
import Foundation
import JSON
import Testing

@testable import DeltaLake

struct CommitTests {
  @Test func `there is no table before it is created`() throws {
    let place = try TemporaryTable()
    #expect(try DeltaTable.open(path: place.path) == nil)
    #expect(try DeltaTable.open(path: place.path + "/nothing") == nil)
    try FileManager.default.createDirectory(
      atPath: place.logPath, withIntermediateDirectories: true)
    #expect(try DeltaTable.open(path: place.path) == nil)
  }

  @Test func `a created table has one version and its protocol is the lowest`() throws {
    let place = try TemporaryTable()
    let metadata = TemporaryTable.metadata(configuration: ["delta.appendOnly": "true"])
    let table = try place.create(metadata)
    #expect(table.snapshot.version == 0)
    #expect(table.snapshot.metadata == metadata)
    #expect(table.snapshot.tableProtocol == .ours)
    #expect(table.snapshot.isAppendOnly)
    #expect(table.snapshot.schema == TemporaryTable.schema)
    #expect(try table.liveFiles().isEmpty)
  }

  @Test func `creating a table that exists opens it`() throws {
    let place = try TemporaryTable()
    let first = try place.create()
    try place.append([.full(1)], to: first, batch: 0)
    let second = try place.create(TemporaryTable.metadata())
    #expect(second.snapshot.metadata.id == first.snapshot.metadata.id)
    #expect(second.snapshot.version == 1)
  }

  @Test func `rows that were committed are read back value for value`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    let rows = (0..<50).map { TestRow.full($0) } + [TestRow()]
    #expect(try place.append(rows, to: table, batch: 0) == .committed(version: 1))
    let expected = rows.map(\.text).sorted()
    #expect(try TableRows.read(table) == expected)
    #expect(try TableRows.read(try place.reopened()) == expected)
  }

  @Test func `a commit is the line of commitInfo and the actions, each line ended`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    try place.append([.full(1)], to: table, app: "app", batch: 7)
    let text = String(decoding: try Data(contentsOf: place.commitFile(1)), as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 4 && lines[3].isEmpty)
    #expect(lines[0].contains(#""readVersion":0,"isolationLevel":"Serializable""#))
    #expect(lines[0].contains(#""shopmetricsActions":3}}"#))
    #expect(lines[1] == #"{"txn":{"appId":"app","version":7,"lastUpdated":1769853600000}}"#)
    #expect(lines[2].hasPrefix(#"{"add":{"path":"part-"#))
  }

  @Test func `the newest commit of a transaction is found with its accounting`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    for batch in 0..<5 {
      var info = TemporaryTable.info()
      info.shopmetrics = try JSONValue.parse(#"{"batch":\#(batch)}"#).objectValue
      let transaction = SetTransaction(appID: "q", version: Int64(batch), lastUpdated: nil)
      let result = try table.commitAppend(
        [.transaction(transaction)], info: info, publisher: place.publisher, role: .tableCommit)
      #expect(result == .committed(version: Int64(batch) + 1))
    }
    let found = try table.commitInfo(ofTransaction: "q", version: 3)
    #expect(found?.tableVersion == 4)
    #expect(found?.info.shopmetrics?.int64("batch") == 3)
    #expect(found?.actions.count == 2)
    #expect(try table.commitInfo(ofTransaction: "q", version: 5) == nil)
    #expect(try table.commitInfo(ofTransaction: "other", version: 3) == nil)
    #expect(table.snapshot.transactionVersion(of: "q") == 4)
  }

  @Test func `refresh sees what another instance committed and reads nothing otherwise`() throws {
    let place = try TemporaryTable()
    let reader = try place.create()
    #expect(try reader.refresh() == LogChange())
    let writer = try place.reopened()
    try place.append([.full(1)], to: writer, app: "a", batch: 0)
    try place.append([.full(2)], to: writer, app: "b", batch: 0)
    let change = try reader.refresh()
    #expect(change.versions == 2)
    #expect(change.transactions == ["a", "b"])
    #expect(!change.metadataChanged)
    #expect(try TableRows.read(reader) == TableRows.read(writer))
  }

  @Test func `a refresh without news does not read the log`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    // Same file, same length, other content: a reader that parsed it again would fail.
    let file = try FileHandle(forWritingTo: place.commitFile(0))
    try file.write(contentsOf: Data("XXXX".utf8))
    try file.close()
    #expect(try table.refresh() == LogChange())
  }

  @Test func `a column added by a metaData action is null in older files`() throws {
    let place = try TemporaryTable()
    let table = try place.create(
      TemporaryTable.metadata(schema: StructType([StructField("number", .long)])))
    try place.append([TestRow(number: 1)], to: table)
    let metadata = try table.snapshot.metadata.adding([StructField("name", .string)])
    let result = try table.commit(
      [.metadata(metadata)], info: TemporaryTable.info("ADD COLUMNS", append: false),
      expecting: 1, publisher: place.publisher, role: .tableCommit)
    #expect(result == .committed(version: 2))
    try place.append([TestRow(name: "n", number: 2)], to: table)
    #expect(try TableRows.read(table) == ["name=null|number=1", "name=n|number=2"])
  }

  @Test func `removed files leave the table and stay as tombstones`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    try place.append([.full(1)], to: table)
    try place.append([.full(2)], to: table)
    let old = try table.liveFiles()
    let compacted = try place.stage([.full(1), .full(2)], of: table)
    let actions =
      old.map { Action.remove($0.removal(at: TemporaryTable.now, dataChange: false)) }
      + compacted.map { file in
        var file = file
        file.dataChange = false
        return .add(file)
      }
    let result = try table.commit(
      actions, info: TemporaryTable.info("OPTIMIZE", append: false), expecting: 2,
      publisher: place.publisher, role: .tableCommit)
    #expect(result == .committed(version: 3))
    #expect(try table.liveFiles().map(\.path) == compacted.map(\.path))
    #expect(try Set(table.tombstones().map(\.path)) == Set(old.map(\.path)))
    #expect(try TableRows.read(table) == [TestRow.full(1).text, TestRow.full(2).text].sorted())
  }

  @Test func `commit times rise although the clock goes back`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    let ahead: Int64 = 4_102_444_800_000
    try place.setTime(place.commitFile(0), milliseconds: ahead)
    let reopened = try place.reopened()
    for batch in 0..<3 { try place.append([.full(1)], to: reopened, batch: Int64(batch)) }
    let times = try (0...3).map { try reopened.log.status(ofCommit: $0)?.mtimeMilliseconds }
    #expect(times == [ahead, ahead + 1, ahead + 2, ahead + 3])
    _ = table
  }

  @Test func `partitioned files lie in folders and lack the partition column`() throws {
    let place = try TemporaryTable()
    let schema = StructType([StructField("number", .long), StructField("flag", .boolean)])
    let table = try place.create(
      TemporaryTable.metadata(schema: schema, partitionColumns: ["flag"]))
    let files = try place.stage(
      [TestRow(number: 5)], of: table, partition: [(column: "flag", value: "false")])
    #expect(files.first?.path.hasPrefix("flag=false/part-") == true)
    #expect(files.first?.partitionValues == ["flag": "false"])
    let result = try table.commitAppend(
      files.map(Action.add), info: TemporaryTable.info(), publisher: place.publisher,
      role: .tableCommit)
    #expect(result == .committed(version: 1))
    let file = try #require(try table.liveFiles().first)
    #expect(try table.openFile(file).leaf(ofColumn: "flag") == nil)
    #expect(try TableRows.read(table) == ["flag=false|number=5"])
  }
}
