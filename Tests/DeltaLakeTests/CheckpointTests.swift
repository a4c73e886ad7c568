import DurableIO
import Foundation
import Parquet
import Testing

@testable import DeltaLake

struct CheckpointTests {
  private let now = TemporaryTable.now

  @Test func `a table read from its checkpoint is the table read from its commits`() throws {
    let place = try TemporaryTable()
    let table = try place.create(
      TemporaryTable.metadata(configuration: ["delta.appendOnly": "true", "k": "v ü"]))
    for batch in Int64(0)..<4 {
      try place.append([.full(batch)], to: table, app: "a\(batch % 2)", batch: batch)
    }
    let (before, files) = (table.snapshot, try table.liveFiles())
    try table.writeCheckpoint(now: now, publisher: place.publisher)
    for version in 0...3 { try Files.remove(place.commitFile(Int64(version)).path) }
    let read = try place.reopened()
    #expect(read.snapshot.version == 4)
    #expect(read.snapshot.metadata == before.metadata)
    #expect(read.snapshot.tableProtocol == before.tableProtocol)
    #expect(read.snapshot.transactionEntries == before.transactionEntries)
    #expect(read.snapshot.warnings.isEmpty)
    let restored = files.map { file in
      var file = file
      file.dataChange = false
      return file
    }
    #expect(try read.liveFiles() == restored)
    #expect(try TableRows.read(read) == (0..<4).map { TestRow.full($0).text }.sorted())
  }

  @Test func `a checkpoint holds every shape of a row`() throws {
    let place = try TemporaryTable()
    let added = AddFile(
      path: "a%20b", partitionValues: ["p": nil, "q": "1", "r": ""], size: 3, modificationTime: 4,
      dataChange: false, stats: #"{"numRecords":1}"#, tags: ["k": "v", "l": "w"])
    let bare = AddFile(path: "bare", size: 0, modificationTime: 0, dataChange: false)
    let removed = RemoveFile(
      path: "gone", deletionTimestamp: now, dataChange: false, extendedFileMetadata: true,
      partitionValues: ["p": nil], size: 9)
    let removedBare = RemoveFile(path: "gone-bare", deletionTimestamp: now, dataChange: false)
    var metadata = TemporaryTable.metadata(partitionColumns: ["p", "q", "r"])
    metadata.description = "d"
    metadata.formatOptions = ["o": "1"]
    let transactions = (0..<3).map {
      SetTransaction(appID: "app\($0)", version: $0, lastUpdated: $0 == 1 ? nil : now)
    }
    let actions: [Action] =
      [.metadata(metadata), .protocolVersions(.ours), .add(added), .add(bare), .remove(removed)]
      + [.remove(removedBare)] + transactions.map(Action.transaction)
    try place.handWrite(version: 0, actions.map(\.line))
    let table = try place.reopened()
    try table.writeCheckpoint(now: now, publisher: place.publisher)
    let reader = CheckpointReader(
      log: table.log,
      files: CheckpointFiles(version: 0, names: [LogPath.checkpointName(0)]))
    let state = try reader.state()
    var files: [Action] = []
    try reader.forEachAdd { files.append(.add($0)) }
    try reader.forEachRemove { files.append(.remove($0)) }
    #expect(state.metadata == metadata)
    #expect(Set(state.transactions.keys) == ["app0", "app1", "app2"])
    #expect(state.transactions["app1"] == transactions[1])
    #expect(files == [.add(added), .add(bare), .remove(removed), .remove(removedBare)])
  }

  @Test func `a checkpoint of many files has several row groups and keeps their order`() throws {
    let place = try TemporaryTable()
    let names = (0..<20_500).map { "part-\($0).parquet" }
    let files = names.map {
      Action.add(AddFile(path: $0, size: 1, modificationTime: 2, dataChange: false))
    }
    let first: [Action] = [.metadata(TemporaryTable.metadata()), .protocolVersions(.ours)]
    try place.handWrite(version: 0, (first + files).map(\.line))
    let table = try place.reopened()
    try table.writeCheckpoint(now: now, publisher: place.publisher)
    let reader = try FileReader(path: place.logFile(LogPath.checkpointName(0)).path)
    #expect(reader.rowGroupCount == 3)
    #expect(try place.reopened().liveFiles().map(\.path) == names)
    let hint = String(
      decoding: try Data(contentsOf: place.logFile("_last_checkpoint")), as: UTF8.self)
    #expect(hint == #"{"version":0,"size":20502}"#)
  }

  @Test func `tombstones stay until the retention of removed files has passed`() throws {
    let place = try TemporaryTable()
    let retention: Int64 = 3_600_000
    let metadata = TemporaryTable.metadata(
      configuration: ["delta.deletedFileRetentionDuration": "interval 1 hour"])
    let removes = [("old", now - retention), ("young", now - retention + 1), ("undated", nil)].map {
      Action.remove(RemoveFile(path: $0.0, deletionTimestamp: $0.1, dataChange: false))
    }
    let first: [Action] = [.metadata(metadata), .protocolVersions(.ours)]
    try place.handWrite(version: 0, (first + removes).map(\.line))
    let table = try place.reopened()
    #expect(try table.tombstones().map(\.path) == ["old", "young", "undated"])
    try table.writeCheckpoint(now: now, publisher: place.publisher)
    #expect(try place.reopened().tombstones().map(\.path) == ["young"])
  }

  @Test func `a checkpoint is due after its interval and made up for when it was missed`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 3)
    #expect(try due(table, place) == nil)
    try place.append([.full(1)], to: table)
    #expect(try due(table, place) == 4)
    #expect(try due(table, place) == nil)
    for _ in 0..<7 { try place.append([.full(1)], to: table) }
    #expect(try due(table, place) == 11)
    #expect(try place.reopened().checkpointVersion == 11)
    let checkpoints = try place.logNames().filter { $0.contains("checkpoint") }
    #expect(
      checkpoints == [LogPath.checkpointName(4), LogPath.checkpointName(11), "_last_checkpoint"])
  }

  private func due(_ table: DeltaTable, _ place: TemporaryTable) throws -> Int64? {
    try table.writeCheckpointIfDue(interval: 4, now: now, publisher: place.publisher)
  }

  @Test func `a file removed and added again after a checkpoint is in the table once`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 2)
    try table.writeCheckpoint(now: now, publisher: place.publisher)
    let files = try table.liveFiles()
    let again = [
      Action.remove(files[0].removal(at: now, dataChange: false)), .add(files[1]),
    ]
    let result = try table.commit(
      again, info: TemporaryTable.info("TEST", append: false), expecting: 2,
      publisher: place.publisher, role: .tableCommit)
    #expect(result == .committed(version: 3))
    #expect(try table.liveFiles().map(\.path) == [files[1].path])
    #expect(try table.tombstones().map(\.path) == [files[0].path])
  }
}
