import DurableIO
import Foundation
import StreamCheckpoint
import Testing

@Suite struct CheckpointDirectoryTests {
  /// A checkpoint of three batches in a directory of its own.
  final class Sample {
    let path = FileManager.default.temporaryDirectory.path + "/checkpoint-\(UUID().uuidString)"
    let directory: CheckpointDirectory
    let queryID: String

    init(batches: Int64 = 3) throws {
      directory = CheckpointDirectory(path: path, publisher: Publisher(lock: nil))
      queryID = try directory.createQueryIfNeeded()
      try directory.addInitialOffsets(#"{"t":{"0":0}}"#)
      for id in 0..<batches {
        _ = try directory.addOffsets(id, Self.entry(id))
        _ = try directory.addCommit(id, CommitLogEntry())
      }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    static func entry(_ id: Int64) -> OffsetLogEntry {
      OffsetLogEntry(
        batchWatermarkMs: 0, batchTimestampMs: 1000 + id,
        confJSON: OffsetLogEntry.newCheckpointConf, sources: [#"{"t":{"0":\#(10 * (id + 1))}}"#])
    }

    func write(_ bytes: [UInt8], to file: String) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(file)"))
    }

    func bytes(of file: String) throws -> [UInt8] {
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)")))
    }

    func remove(_ file: String) throws {
      try FileManager.default.removeItem(atPath: "\(path)/\(file)")
    }

    /// Reads every file, as recovery and verification do.
    func readAll() throws {
      _ = try directory.queryID()
      _ = try directory.initialOffsets()
      for id in try directory.offsetLog.batchIDs() { _ = try directory.offsets(id) }
      for id in try directory.commitLog.batchIDs() { _ = try directory.commit(id) }
    }
  }

  static let files = ["metadata", "offsets/1", "commits/1", "sources/0/0"]

  @Test func `the files are those of Spark`() throws {
    let sample = try Sample()
    #expect(
      try sample.bytes(of: "metadata") == Array("{\"id\":\"\(sample.queryID)\"}".utf8))
    #expect(try sample.bytes(of: "metadata").count == 45)
    #expect(
      try sample.bytes(of: "sources/0/0") == [0] + Array("v1\n{\"t\":{\"0\":0}}".utf8))
    #expect(try sample.directory.offsets(2) == Sample.entry(2))
    #expect(try sample.directory.createQueryIfNeeded() == sample.queryID)
  }

  @Test func `a batch is added once`() throws {
    let sample = try Sample()
    #expect(try sample.directory.addOffsets(2, Sample.entry(9)) == .alreadyExists)
    #expect(try sample.directory.offsets(2) == Sample.entry(2))
  }

  @Test func `F2: metadata missing beside batches is no new query`() throws {
    let sample = try Sample()
    try sample.remove("metadata")
    let error = #expect(throws: CheckpointError.self) { try sample.directory.queryID() }
    #expect(error?.path == "\(sample.path)/metadata")
    #expect(throws: CheckpointError.self) { try sample.directory.createQueryIfNeeded() }
  }

  @Test(arguments: ["", "{}", "[]", "{\"id\":7}", "{\"id\":\"\"}", "nonsense"])
  func `F3: metadata that names no query is refused`(text: String) throws {
    let sample = try Sample()
    try sample.remove(".metadata.crc")
    try sample.write(Array(text.utf8), to: "metadata")
    #expect(throws: CheckpointError.self) { try sample.directory.queryID() }
  }

  @Test func `F5: a batch missing in the middle is named`() throws {
    let sample = try Sample(batches: 5)
    try sample.remove("offsets/2")
    let error = #expect(throws: CheckpointError.self) {
      try sample.directory.offsetLog.batchIDs()
    }
    #expect(error?.field == "batch 2")
  }

  @Test(arguments: files)
  func `F7 and F9: a file cut at any length is found`(file: String) throws {
    let sample = try Sample()
    let whole = try sample.bytes(of: file)
    for length in 0..<whole.count {
      try sample.write(Array(whole[..<length]), to: file)
      #expect(throws: CheckpointError.self, "\(length) bytes") { try sample.readAll() }
    }
  }

  @Test(arguments: files)
  func `F8: any flipped byte is found`(file: String) throws {
    let sample = try Sample()
    let whole = try sample.bytes(of: file)
    for position in whole.indices {
      var damaged = whole
      damaged[position] ^= UInt8(1 << (position % 8))
      try sample.write(damaged, to: file)
      let error = #expect(throws: CheckpointError.self) { try sample.readAll() }
      #expect(error?.path == "\(sample.path)/\(file)")
    }
  }

  @Test func `a missing checksum file is fine, as for Spark`() throws {
    let sample = try Sample()
    for file in ["offsets/.1.crc", "commits/.1.crc", ".metadata.crc"] { try sample.remove(file) }
    try sample.readAll()
  }

  @Test func `F11: foreign names are ignored`() throws {
    let sample = try Sample()
    for name in ["offsets/3~", "offsets/.7.x.tmp", "offsets/notes", "commits/x1", "offsets/-1"] {
      try sample.write([1], to: name)
    }
    #expect(try sample.directory.offsetLog.batchIDs() == [0, 1, 2])
    #expect(try sample.directory.commitLog.batchIDs() == [0, 1, 2])
  }

  @Test func `F16: two spellings of one batch are refused`() throws {
    let sample = try Sample()
    try sample.write(Sample.entry(2).bytes, to: "offsets/02")
    #expect(throws: CheckpointError.self) { try sample.directory.offsetLog.batchIDs() }
  }

  @Test func `old batches are purged as Spark does`() throws {
    let sample = try Sample(batches: 105)
    try sample.directory.purge(newest: 100)
    #expect(try sample.directory.offsetLog.batchIDs().first == 0)
    try sample.directory.purge(newest: 104)
    #expect(try sample.directory.offsetLog.batchIDs() == Array(4...104))
    #expect(try sample.directory.commitLog.batchIDs() == Array(4...104))
    let left = try FileManager.default.contentsOfDirectory(atPath: "\(sample.path)/offsets")
    #expect(left.count == 202, "the checksum files go with their batches")
  }
}
