import DurableIO
import Foundation
import StreamCheckpoint
import Testing

/// Files that Spark itself wrote; see the README beside them.
@Suite struct SparkGoldenTests {
  /// Below `Tests/Fixtures/spark-checkpoint`.
  struct Golden: CustomTestStringConvertible {
    let path: String
    var testDescription: String { path }
    var directory: String { "\(Self.root)/\(path)" }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/spark-checkpoint").path

    var checkpoint: CheckpointDirectory {
      CheckpointDirectory(path: directory, publisher: Publisher(lock: nil))
    }

    func bytes(of file: String) throws -> [UInt8] {
      [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(file)")))
    }
  }

  static let kafka = ["spark-3.5.7/kafka", "spark-4.0.0/kafka"].map(Golden.init)
  static let all = kafka + ["spark-3.5.7/files", "spark-4.0.0/files"].map(Golden.init)

  @Test(arguments: all)
  func `what we write after reading a log of Spark's is Spark's, byte for byte`(
    golden: Golden
  ) throws {
    let checkpoint = golden.checkpoint
    let id = try #require(try checkpoint.queryID())
    #expect(try golden.bytes(of: "metadata") == Array("{\"id\":\"\(id)\"}".utf8))
    let batches = try checkpoint.offsetLog.batchIDs()
    #expect(batches == [0, 1])
    for batch in batches {
      let entry = try #require(try checkpoint.offsets(batch))
      #expect(entry.batchTimestampMs > 0)
      #expect(try golden.bytes(of: "offsets/\(batch)") == entry.bytes)
    }
    let commits = try checkpoint.commitLog.batchIDs()
    #expect(!commits.isEmpty)
    for batch in commits {
      let entry = try #require(try checkpoint.commit(batch))
      #expect(try golden.bytes(of: "commits/\(batch)") == entry.bytes)
    }
  }

  @Test(arguments: all)
  func `our checksum files are Hadoop's, byte for byte`(golden: Golden) throws {
    for file in ["metadata", "offsets/0", "offsets/1", "commits/0"] {
      let sidecar = Files.sidecarPath(of: file)
      #expect(
        HadoopChecksum.sidecar(of: try golden.bytes(of: file)) == (try golden.bytes(of: sidecar)))
    }
  }

  @Test func `a new checkpoint has the settings that Spark 3.5 writes, in its order`() throws {
    let entry = try #require(try Self.kafka[0].checkpoint.offsets(0))
    #expect(OffsetLogEntry.newCheckpointConf == entry.confJSON)
  }

  @Test(arguments: kafka)
  func `the offsets keep the order of the engine that wrote them`(golden: Golden) throws {
    let entry = try #require(try golden.checkpoint.offsets(1))
    let text = try #require(entry.sources.first ?? nil)
    let parsed = try KafkaOffsetsJSON.parse(text, path: "offsets/1")
    #expect(parsed.topic == "clickstream-events")
    #expect(parsed.offsets == [0: .max, 1: 45, 2: 60])
    #expect(
      KafkaOffsetsJSON.text(
        topic: parsed.topic, offsets: parsed.offsets, order: .like(parsed.order)) == text)
  }

  @Test func `initial offsets are those of Spark's Kafka connector, byte for byte`() throws {
    let golden = Self.kafka[1]
    let json = try #require(try golden.checkpoint.initialOffsets())
    let path = FileManager.default.temporaryDirectory.path + "/initial-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let ours = CheckpointDirectory(path: path, publisher: Publisher(lock: nil))
    try ours.addInitialOffsets(json)
    for file in ["sources/0/0", "sources/0/.0.crc"] {
      let written = try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)"))
      #expect([UInt8](written) == (try golden.bytes(of: file)))
    }
  }
}
