import DurableIO
import Foundation
import Testing

@testable import DeltaLake

/// A log that a power cut, a disk or another program damaged: what this program says to it.
struct DamageTests {
  private func fault(_ place: TemporaryTable) -> DeltaError? {
    do {
      _ = try place.reopened().liveFiles()
      return nil
    } catch {
      return error as? DeltaError
    }
  }

  private func cut(_ file: URL, to length: Int) throws {
    let bytes = try Data(contentsOf: file)
    try bytes.prefix(length).write(to: file)
  }

  @Test func `an empty newest commit is an error that names it`() throws {
    let place = try TemporaryTable()
    _ = try place.filled(versions: 3)
    try cut(place.commitFile(3), to: 0)
    let error = try #require(fault(place))
    #expect(error.code == .tornCommit)
    #expect(error.version == 3)
    #expect(error.message.contains("00000000000000000003.json has 0 bytes"))
  }

  @Test func `a commit cut anywhere is torn, at a line end too`() throws {
    let place = try TemporaryTable()
    _ = try place.filled(versions: 1)
    let bytes = [UInt8](try Data(contentsOf: place.commitFile(1)))
    for length in 0..<bytes.count {
      let error = #expect(throws: DeltaError.self) {
        try CommitFile.parse(Array(bytes.prefix(length)), table: "t", version: 1)
      }
      #expect(error?.code == .tornCommit, "\(length)")
    }
    #expect(try CommitFile.parse(bytes, table: "t", version: 1).count == 3)
  }

  @Test func `a flipped bit is an error or another value, never a trap`() throws {
    let place = try TemporaryTable()
    _ = try place.filled(versions: 1)
    let bytes = [UInt8](try Data(contentsOf: place.commitFile(1)))
    var errors = 0
    for index in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[index] ^= 1 << bit
        do {
          _ = try CommitFile.parse(flipped, table: "t", version: 1)
        } catch {
          errors += 1
        }
      }
    }
    #expect(errors > bytes.count)
  }

  @Test(arguments: ["\0\0\0\0\0\0\0\0", "garbage\n", "{\"add\":\n"])
  func `content that is no action is an error with file, line and byte`(text: String) throws {
    let place = try TemporaryTable()
    _ = try place.filled(versions: 2)
    let good = String(decoding: try Data(contentsOf: place.commitFile(2)), as: UTF8.self)
    try place.overwrite(place.commitFile(2), good + text)
    let error = try #require(fault(place))
    #expect(error.version == 2)
    #expect(error.message.contains("00000000000000000002.json, line 4, byte"))
  }

  @Test func `a newest commit that vanished under an open table is noticed`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 2)
    try Files.remove(place.commitFile(2).path)
    let error = #expect(throws: DeltaError.self) { try table.refresh() }
    #expect(error?.code == .rewrittenLog)
    #expect(try place.reopened().snapshot.transactionVersion(of: "query") == 0)
  }

  @Test func `a newest commit that another program replaced is noticed`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 2)
    try Files.remove(place.commitFile(2).path)
    try place.handWrite(version: 2, [#"{"commitInfo":{"operation":"WRITE"}}"#])
    let error = #expect(throws: DeltaError.self) {
      try place.append([.full(1)], to: table)
    }
    #expect(error?.code == .rewrittenLog)
  }

  @Test(arguments: [0, 2, 5, 7] as [Int64])
  func `a version missing after the checkpoint is a gap that is named`(missing: Int64) throws {
    let place = try TemporaryTable()
    let table = try place.create()
    for batch in 0..<8 {
      try place.append([.full(Int64(batch))], to: table)
      if batch == 3 {
        try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
      }
    }
    try Files.remove(place.commitFile(missing).path)
    if missing <= 4 {
      #expect(try TableRows.read(try place.reopened()).count == 8)
    } else {
      let error = try #require(fault(place))
      #expect(error.code == .gapInLog)
      #expect(error.version == missing)
      #expect(error.message.contains(LogPath.commitName(missing)))
    }
  }

  @Test(arguments: ["not json", "{}", #"{"version":99,"size":1}"#, ""])
  func `a wrong hint is a warning and the next checkpoint replaces it`(hint: String) throws {
    let place = try TemporaryTable()
    _ = try place.filled(versions: 4)
    try place.overwrite(place.logFile("_last_checkpoint"), hint)
    let table = try place.reopened()
    #expect(table.snapshot.warnings.count == 1)
    #expect(table.snapshot.warnings.first?.contains("_last_checkpoint") == true)
    #expect(try TableRows.read(table).count == 4)
    try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
    #expect(try place.reopened().snapshot.warnings.isEmpty)
  }

  /// A table of 6 versions with a checkpoint at 4.
  private func checkpointed() throws -> (TemporaryTable, URL) {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 4)
    try table.writeCheckpoint(now: TemporaryTable.now, publisher: place.publisher)
    try place.append([.full(8)], to: table)
    try place.append([.full(9)], to: table)
    return (place, place.logFile(LogPath.checkpointName(4)))
  }

  @Test func `a damaged checkpoint is passed over while all commits are there`() throws {
    let (place, checkpoint) = try checkpointed()
    let bytes = try Data(contentsOf: checkpoint)
    for length in [0, 1, 8, bytes.count / 2, bytes.count - 1] {
      try bytes.prefix(length).write(to: checkpoint)
      let table = try place.reopened()
      #expect(try TableRows.read(table).count == 6)
      #expect(table.snapshot.warnings.count == 1)
      #expect(table.snapshot.warnings.first?.contains(checkpoint.lastPathComponent) == true)
    }
  }

  @Test func `a damaged checkpoint without its commits is an error that names it`() throws {
    let (place, checkpoint) = try checkpointed()
    try cut(checkpoint, to: 100)
    try Files.remove(place.commitFile(1).path)
    let error = try #require(fault(place))
    #expect(error.code == .damagedCheckpoint)
    #expect(error.version == 4)
    #expect(error.message.contains(checkpoint.lastPathComponent))
  }

  @Test func `a flipped byte in a checkpoint never traps`() throws {
    let (place, checkpoint) = try checkpointed()
    let bytes = [UInt8](try Data(contentsOf: checkpoint))
    for index in stride(from: 0, to: bytes.count, by: 3) {
      var flipped = bytes
      flipped[index] ^= 0x55
      try Data(flipped).write(to: checkpoint)
      _ = fault(place)
    }
    try Data(bytes).write(to: checkpoint)
    #expect(fault(place) == nil)
  }

  @Test func `a missing or cut data file is an error that names it`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 1)
    let file = try table.liveFiles()[0]
    let url = URL(fileURLWithPath: "\(place.path)/\(file.path)")
    try cut(url, to: Int(file.size) / 2)
    #expect(throws: (any Error).self) { try table.openFile(file) }
    try FileManager.default.removeItem(at: url)
    let error = #expect(throws: (any Error).self) { try table.openFile(file) }
    #expect("\(error.map { "\($0)" } ?? "")".contains(file.path))
  }

  @Test func `staged files and strangers in the log are of no interest`() throws {
    let place = try TemporaryTable()
    _ = try place.filled(versions: 1)
    for name in [
      ".00000000000000000002.json.b2c1.tmp", "00000000000000000002.json#1", "README", "_commits",
    ] {
      try place.overwrite(place.logFile(name), "{")
    }
    #expect(try place.reopened().snapshot.version == 1)
  }

  @Test func `unknown actions and a path added twice change nothing`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 1)
    let file = try table.liveFiles()[0]
    try place.handWrite(
      version: 2,
      [#"{"audit":{"who":"me"}}"#, #"{"hint":7}"#, Action.add(file).line])
    #expect(try table.refresh().versions == 1)
    #expect(try TableRows.read(table).count == 1)
  }

  @Test func `a raised protocol stops an open table at the last version that was good`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 1)
    try place.handWrite(
      version: 2,
      [
        #"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"#
          + #""readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}}"#
      ])
    let error = #expect(throws: DeltaError.self) { try table.refresh() }
    #expect(error?.code == .unsupportedToRead)
    #expect(error?.message.contains("deletionVectors") == true)
    #expect(table.snapshot.version == 1)
  }

  @Test func `our transaction raised by a stranger is seen`() throws {
    let place = try TemporaryTable()
    let table = try place.filled(versions: 1)
    let raised = SetTransaction(appID: "query", version: 40, lastUpdated: nil)
    try place.handWrite(version: 2, [Action.transaction(raised).line])
    #expect(try table.refresh().transactions == ["query"])
    #expect(table.snapshot.transactionVersion(of: "query") == 40)
  }

  @Test func `a retention of nothing is a warning`() throws {
    let place = try TemporaryTable()
    let table = try place.create(
      TemporaryTable.metadata(configuration: ["delta.logRetentionDuration": "interval 0 days"]))
    #expect(table.snapshot.warnings.first?.contains("delta.logRetentionDuration") == true)
  }

  @Test func `a log without protocol or metadata is no table`() throws {
    let place = try TemporaryTable()
    try place.handWrite(version: 0, [Action.protocolVersions(.ours).line])
    #expect(fault(place)?.message.contains("metaData") == true)
  }
}
