import DurableIO
import Foundation
import Testing

@testable import DeltaLake

/// What this program refuses to read or to write, always by name.
struct RuleTests {
  private func fault(
    _ code: DeltaError.Code, naming name: String, _ body: () throws -> Void
  ) {
    let error = #expect(throws: DeltaError.self) { try body() }
    #expect(error?.code == code)
    #expect(error?.description.contains(name) == true, "\(error?.description ?? "")")
  }

  private func table(
    _ place: TemporaryTable, _ versions: TableProtocol, _ metadata: TableMetadata
  ) throws {
    try place.handWrite(
      version: 0, [Action.metadata(metadata).line, Action.protocolVersions(versions).line])
  }

  @Test(arguments: [
    (TableProtocol(minReaderVersion: 2, minWriterVersion: 5), "columnMapping"),
    (
      TableProtocol(
        minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ["deletionVectors"],
        writerFeatures: ["deletionVectors"]), "deletionVectors"
    ),
    (
      TableProtocol(
        minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ["v2Checkpoint", "timestampNtz"],
        writerFeatures: []), "v2Checkpoint, timestampNtz"
    ),
    (TableProtocol(minReaderVersion: 99, minWriterVersion: 99), "reader version 99"),
  ])
  func `a table that needs more of a reader is not opened`(
    versions: TableProtocol, name: String
  ) throws {
    let place = try TemporaryTable()
    try table(place, versions, TemporaryTable.metadata())
    fault(.unsupportedToRead, naming: name) { _ = try place.reopened() }
  }

  @Test(
    arguments: [
      (3, nil, "checkConstraints"), (4, nil, "changeDataFeed"), (6, nil, "identityColumns"),
      (7, ["appendOnly", "rowTracking"], "the feature rowTracking"), (8, nil, "writer version 8"),
    ] as [(Int64, [String]?, String)])
  func `a table that needs more of a writer is read but not written`(
    version: Int64, features: [String]?, name: String
  ) throws {
    let place = try TemporaryTable()
    let versions = TableProtocol(
      minReaderVersion: 1, minWriterVersion: version, writerFeatures: features)
    try table(place, versions, TemporaryTable.metadata())
    let table = try place.reopened()
    fault(.unsupportedToWrite, naming: name) { try table.checkWritable() }
    fault(.unsupportedToWrite, naming: name) {
      try place.append([.full(1)], to: table)
    }
    #expect(try place.logNames() == [LogPath.commitName(0)])
  }

  @Test(arguments: [[], ["appendOnly"], ["invariants", "appendOnly"]])
  func `named features that we honour are written`(features: [String]) throws {
    let place = try TemporaryTable()
    let versions = TableProtocol(
      minReaderVersion: 1, minWriterVersion: 7, writerFeatures: features)
    try table(place, versions, TemporaryTable.metadata())
    let table = try place.reopened()
    #expect(try place.append([.full(1)], to: table) == .committed(version: 1))
    try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
    #expect(try place.reopened().snapshot.tableProtocol == versions)
  }

  @Test(arguments: [
    ("delta.setTransactionRetentionDuration", "interval 1 day"),
    ("delta.columnMapping.mode", "name"), ("delta.enableChangeDataFeed", "true"),
    ("delta.constraints.positive", "number > 0"),
  ])
  func `a property that we cannot honour stops writing`(key: String, value: String) throws {
    let place = try TemporaryTable()
    try table(place, .ours, TemporaryTable.metadata(configuration: [key: value]))
    let table = try place.reopened()
    fault(.unsupportedToWrite, naming: key) { try place.append([.full(1)], to: table) }
  }

  @Test func `a column with an invariant or declared not null stops writing`() throws {
    let invariant =
      #"{"type":"struct","fields":[{"name":"number","type":"long","nullable":true,"#
      + #""metadata":{"delta.invariants":"{\"expression\":{}}"}}]}"#
    let required = invariant.replacingOccurrences(
      of: #""nullable":true,"metadata":{"delta.invariants":"{\"expression\":{}}"}"#,
      with: #""nullable":false,"metadata":{}"#)
    for (schema, name) in [(invariant, "delta.invariants"), (required, "declared not null")] {
      let place = try TemporaryTable()
      var metadata = TemporaryTable.metadata()
      metadata.schemaString = schema
      try table(place, .ours, metadata)
      let table = try place.reopened()
      fault(.unsupportedToWrite, naming: name) { try place.append([.full(1)], to: table) }
    }
  }

  @Test func `an append-only table gives up rows never, but lets itself be compacted`() throws {
    let place = try TemporaryTable()
    let table = try place.create(
      TemporaryTable.metadata(configuration: ["delta.appendOnly": "true"]))
    try place.append([.full(1)], to: table)
    let file = try #require(try table.liveFiles().first)
    let commit = { (dataChange: Bool) in
      try table.commit(
        [.remove(file.removal(at: TemporaryTable.now, dataChange: dataChange))],
        info: TemporaryTable.info("DELETE", append: false), expecting: 1,
        publisher: place.publisher, role: .tableCommit)
    }
    fault(.ruleOfTable, naming: "append-only") { _ = try commit(true) }
    #expect(try commit(false) == .committed(version: 2))
  }

  @Test func `a file that is gone or has another size is not committed`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    let files = try place.stage([.full(1)], of: table)
    var longer = files
    longer[0].size += 1
    for files in [longer, files] {
      fault(.missingDataFile, naming: files[0].path) {
        _ = try table.commitAppend(
          files.map(Action.add), info: TemporaryTable.info(), publisher: place.publisher,
          role: .tableCommit)
      }
      try Files.remove("\(place.path)/\(files[0].path)")
    }
    #expect(table.snapshot.version == 0)
  }

  @Test func `a commit holds one action of a kind for one key`() throws {
    let place = try TemporaryTable()
    let table = try place.create()
    let transaction = Action.transaction(
      SetTransaction(appID: "a", version: 1, lastUpdated: nil))
    fault(.ruleOfTable, naming: "txn of a") {
      _ = try table.commitAppend(
        [transaction, transaction], info: TemporaryTable.info(), publisher: place.publisher,
        role: .tableCommit)
    }
  }

  @Test func `files of a partitioned table state their partition`() throws {
    let place = try TemporaryTable()
    let table = try place.create(TemporaryTable.metadata(partitionColumns: ["flag"]))
    fault(.ruleOfTable, naming: "flag") { try place.append([.full(1)], to: table) }
  }
}
