import DurableIO
import Foundation
import Testing

@testable import DeltaLake

/// Two writers of one table; each row is one rule of the conflict check of appends.
struct ConflictTests {
  private func commit(
    _ actions: [Action], to table: DeltaTable, _ place: TemporaryTable
  ) throws -> CommitResult {
    try table.commit(
      actions, info: TemporaryTable.info("TEST", append: false),
      expecting: table.snapshot.version, publisher: place.publisher, role: .tableCommit)
  }

  private func transaction(_ app: String, _ version: Int64) -> Action {
    .transaction(SetTransaction(appID: app, version: version, lastUpdated: nil))
  }

  @Test func `an append moves behind the appends of others`() throws {
    let place = try TemporaryTable()
    let ours = try place.create()
    let other = try place.reopened()
    for batch in Int64(0)..<3 {
      try place.append([.full(batch)], to: other, app: "other", batch: batch)
    }
    #expect(try place.append([.full(9)], to: ours, app: "ours", batch: 0) == .committed(version: 4))
    #expect(ours.snapshot.transactions == ["other": 2, "ours": 0])
    #expect(try TableRows.read(ours).count == 4)
  }

  @Test func `a transaction of the same application stops the append`() throws {
    let place = try TemporaryTable()
    let ours = try place.create()
    let other = try place.reopened()
    try place.append([.full(1)], to: other, app: "query", batch: 0)
    let result = try place.append([.full(1)], to: ours, app: "query", batch: 0)
    #expect(result == .conflict(version: 1, reason: .transaction(appID: "query")))
    #expect(try TableRows.read(try place.reopened()).count == 1)
  }

  @Test func `changed metadata stops the append`() throws {
    let place = try TemporaryTable()
    let ours = try place.create()
    let other = try place.reopened()
    let changed = try other.snapshot.metadata.adding([StructField("more", .long)])
    #expect(try commit([.metadata(changed)], to: other, place) == .committed(version: 1))
    let result = try place.append([.full(1)], to: ours)
    #expect(result == .conflict(version: 1, reason: .metadataChanged))
    #expect(ours.snapshot.schema.fields.last?.name == "more")
  }

  @Test func `a changed protocol stops the append`() throws {
    let place = try TemporaryTable()
    let ours = try place.create()
    let changed = TableProtocol(
      minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ["appendOnly"])
    try place.handWrite(version: 1, [Action.protocolVersions(changed).line])
    let result = try place.append([.full(1)], to: ours)
    #expect(result == .conflict(version: 1, reason: .protocolChanged))
  }

  @Test func `a commit that expects a version does not move`() throws {
    let place = try TemporaryTable()
    let ours = try place.create()
    let other = try place.reopened()
    #expect(try commit([transaction("a", 1)], to: other, place) == .committed(version: 1))
    let result = try commit([transaction("b", 1)], to: ours, place)
    #expect(result == .conflict(version: 1, reason: .versionTaken))
    try ours.refresh()
    #expect(try commit([transaction("b", 1)], to: ours, place) == .committed(version: 2))
  }

  @Test func `a commit that was computed from an older version does not move`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 2)
    let result = try table.commit(
      [transaction("b", 1)], info: TemporaryTable.info(), expecting: 1,
      publisher: place.publisher, role: .tableCommit)
    #expect(result == .conflict(version: 2, reason: .versionTaken))
    #expect(table.snapshot.version == 2)
  }

  @Test func `writers that race for every version lose nothing and leave no gap`() async throws {
    let place = try TemporaryTable()
    _ = try place.create()
    let path = place.path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask { try Self.race(path, writer: writer) }
      }
      try await group.waitForAll()
    }
    let table = try place.reopened()
    #expect(table.snapshot.version == 100)
    #expect(table.snapshot.transactions == ["0": 24, "1": 24, "2": 24, "3": 24])
    let versions = try (1...100).map { try table.actions(ofVersion: $0)?.count }
    #expect(versions == Array(repeating: 2, count: 100))
  }

  /// Commits 25 transactions; a writer that lost ten races in a row starts again.
  private static func race(_ path: String, writer: Int) throws {
    guard let table = try DeltaTable.open(path: path) else { throw TemporaryTable.NoTable() }
    let publisher = Publisher(lock: nil)
    var batch: Int64 = 0
    while batch < 25 {
      let action = Action.transaction(
        SetTransaction(appID: String(writer), version: batch, lastUpdated: nil))
      do {
        let result = try table.commitAppend(
          [action], info: TemporaryTable.info(), publisher: publisher, role: .tableCommit)
        guard case .committed = result else { throw Unexpected(result: result) }
        batch += 1
      } catch let error as DeltaError where error.code == .tooManyConflicts {
        continue
      }
    }
  }

  private struct Unexpected: Error {
    let result: CommitResult
  }
}
