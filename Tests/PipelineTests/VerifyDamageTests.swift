import DeltaLake
import DurableIO
import Foundation
import Testing

@testable import Pipeline

/// One way to damage a state that is sound, and what must be found then.
struct Damage: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let codes: Set<String>
  let apply: @Sendable (VerifyFixture) throws -> Void

  init(
    _ name: String, finds codes: Set<String>,
    _ apply: @escaping @Sendable (VerifyFixture) throws -> Void
  ) {
    testDescription = name
    self.codes = codes
    self.apply = apply
  }
}

@Suite("Verification finds damage")
struct VerifyDamageTests {
  @Test func `A state that the daemon made is sound`() throws {
    let report = try VerifyFixture().verify()
    #expect(report.findings.map(\.description) == [])
    #expect(report.notes == [])
    #expect(report.bronzeRows + report.deadLetterRows == 396)
    #expect(report.deadLetterRows > 20)
    #expect(report.batches == 4)
    #expect(report.files == 8)
  }

  @Test(arguments: dataFiles + checkpointFiles + logFiles + accountings)
  func `Damage is found, named, and nothing else is blamed`(damage: Damage) throws {
    let fixture = try VerifyFixture()
    try damage.apply(fixture)
    let report = try fixture.verify()
    let found = report.findings.map(\.description).joined(separator: "\n")
    #expect(Set(report.findings.map(\.code)) == damage.codes, Comment(rawValue: found))
    #expect(!report.isSound)
  }

  private static let dataFiles = [
    Damage("a flipped byte in a page of events", finds: ["FILE_UNREADABLE"]) {
      try $0.flipByte(of: $0.dataFiles(of: $0.bronze)[0], at: 900)
    },
    Damage("a flipped byte in a page of letters", finds: ["FILE_UNREADABLE"]) {
      try $0.flipByte(of: $0.dataFiles(of: $0.letters)[1], at: 200)
    },
    Damage("a flipped byte in a footer's length", finds: ["FILE_UNREADABLE"]) {
      try $0.flipByte(of: $0.dataFiles(of: $0.bronze)[2], at: -5)
    },
    Damage("a data file that was removed", finds: ["FILE_MISSING"]) {
      try $0.remove($0.dataFiles(of: $0.letters)[0])
    },
    Damage("a data file that was cut short", finds: ["FILE_SIZE"]) {
      let path = try $0.dataFiles(of: $0.bronze)[1]
      try Data(try Files.read(path).dropLast()).write(to: URL(fileURLWithPath: path))
    },
    Damage("rows of one file appended again by somebody", finds: ["DUPLICATE_OFFSET", "ROW_COUNT"])
    {
      try $0.append($0.dataFiles(of: $0.bronze)[1], to: $0.bronze)
    },
  ]

  private static let checkpointFiles = [
    Damage("a flipped byte in an offsets file", finds: ["CHECKPOINT_DAMAGED"]) {
      try $0.flipByte(of: $0.checkpoint + "/offsets/2", at: 20)
    },
    Damage("a flipped byte in a commits file", finds: ["CHECKPOINT_DAMAGED"]) {
      try $0.flipByte(of: $0.checkpoint + "/commits/0", at: 5)
    },
    Damage("a flipped byte in the first offsets", finds: ["CHECKPOINT_DAMAGED"]) {
      try $0.flipByte(of: $0.checkpoint + "/sources/0/0", at: 8)
    },
    Damage("a commits file removed from the middle", finds: ["CHECKPOINT_DAMAGED"]) {
      try $0.remove($0.checkpoint + "/commits/1")
    },
    Damage("the two newest commits files removed", finds: ["STATE_CONTRADICTS"]) {
      let newest = try $0.newestBatch()
      try $0.remove($0.checkpoint + "/commits/\(newest)")
      try $0.remove($0.checkpoint + "/commits/\(newest - 1)")
    },
    Damage("the newest offsets file removed", finds: ["STATE_CONTRADICTS"]) {
      try $0.remove($0.checkpoint + "/offsets/\($0.newestBatch())")
    },
    Damage("the query id removed", finds: ["CHECKPOINT_DAMAGED"]) {
      try $0.remove($0.checkpoint + "/metadata")
    },
    Damage("the whole checkpoint removed", finds: ["STATE_CONTRADICTS"]) {
      try $0.remove($0.checkpoint)
    },
    Damage("an offset that was moved back", finds: ["OFFSETS_WENT_BACK", "BATCH_OFFSETS"]) {
      try $0.remove($0.checkpoint + "/offsets/.1.crc")
      try $0.replaceFirst(#""0":"#, with: #""0":0,"9":"#, in: $0.checkpoint + "/offsets/1")
    },
  ]

  private static let logFiles = [
    Damage("a line removed from a commit", finds: ["TABLE_DAMAGED"]) {
      try $0.dropLastLine(of: $0.logFile(of: $0.bronze, 2))
    },
    Damage("a commit removed from the middle", finds: ["TABLE_DAMAGED"]) {
      try $0.remove($0.logFile(of: $0.letters, 1))
    },
    Damage(
      "the newest commit of letters removed",
      finds: ["STATE_CONTRADICTS", "ROW_COUNT", "LETTERS_MISSING"]
    ) {
      try $0.remove($0.logFile(of: $0.letters, $0.newestBatch() + 1))
    },
    Damage("the table of letters removed", finds: ["STATE_CONTRADICTS", "ROW_COUNT"]) {
      try $0.remove($0.letters)
    },
    Damage("a row count of the log that is not the file's", finds: ["LOG_STATISTICS"]) {
      // The first one is that of the letters, which this commit carries.
      try $0.replaceLast(
        #"\"numRecords\":"#, with: #"\"numRecords\":1"#, in: $0.logFile(of: $0.bronze, 2))
    },
    Damage("a bound of the log that leaves rows out", finds: ["LOG_STATISTICS"]) {
      try $0.replaceFirst(
        #"\"session_id\":\""#, with: #"\"session_id\":\"~"#, in: $0.logFile(of: $0.bronze, 3))
    },
    Damage("other letters than the events' commit carries", finds: ["LETTERS_DIFFER"]) {
      try $0.replaceFirst(
        #""dataChange":true"#, with: #""dataChange":false"#, in: $0.logFile(of: $0.letters, 2))
    },
  ]

  private static let accountings = [
    Damage(
      "a count of rows that is too high",
      finds: ["BATCH_RANGE", "BATCH_ROWS", "CONTINUITY"]
    ) {
      try $0.replaceFirst(#""good":"#, with: #""good":1"#, in: $0.logFile(of: $0.bronze, 2))
    },
    Damage(
      "an absent offset too many, with a range that fits",
      finds: ["BATCH_OFFSETS", "CONTINUITY"]
    ) { fixture in
      let newest = fixture.logFile(of: fixture.bronze, try fixture.newestBatch() + 1)
      let end = try #require(try fixture.newestAccounting().partitions[0]).end
      try fixture.replaceFirst(#""end":\#(end)"#, with: #""end":\#(end + 1)"#, in: newest)
      try fixture.replaceFirst(#""absent":0"#, with: #""absent":1"#, in: newest)
    },
    Damage("an accounting that is none", finds: ["ACCOUNTING_DAMAGED"]) {
      try $0.replaceFirst(
        #""absent":0"#, with: #""absent":-1"#, in: $0.logFile(of: $0.bronze, 1))
    },
    Damage("a batch time that its rows do not carry", finds: ["BATCH_TIME"]) {
      try $0.remove($0.checkpoint + "/offsets/.1.crc")
      try $0.replaceFirst(
        #""batchTimestampMs":1"#, with: #""batchTimestampMs":2"#,
        in: $0.checkpoint + "/offsets/1")
    },
  ]
}

extension VerifyFixture {
  func newestBatch() throws -> Int {
    try #require(try StateReader(configuration).observation.offsets.map { Int($0) })
  }

  func newestAccounting() throws -> BatchAccounting {
    try #require(try StateReader(configuration).accounting)
  }

  func dropLastLine(of path: String) throws {
    let lines = String(decoding: try Files.read(path), as: UTF8.self).split(separator: "\n")
    let text = lines.dropLast().joined(separator: "\n") + "\n"
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// What a program does that knows nothing of ours: a copy of a file, and a commit that names it.
  func append(_ file: String, to path: String) throws {
    let name = "part-00000-foreign.parquet"
    try FileManager.default.copyItem(atPath: file, toPath: "\(path)/\(name)")
    let table = try #require(try DeltaTable.open(path: path))
    let size = try #require(try Files.status(file)).size
    let result = try table.commitAppend(
      [.add(AddFile(path: name, size: size, modificationTime: 1_800_000_000_000))],
      info: CommitInfo(
        timestamp: 1_800_000_000_000, operation: "WRITE", isBlindAppend: true,
        engineInfo: "another program"),
      publisher: Publisher(lock: nil), role: .tableCommit)
    guard case .committed = result else {
      throw FixtureError(description: "the append was not committed: \(result)")
    }
  }
}
