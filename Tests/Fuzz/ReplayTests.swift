import Foundation
import Testing

/// The committed corpus of the fuzzers, findings included, read once more by each build.
@Suite struct ReplayTests {
  static let targets: [(name: String, read: @Sendable (UnsafeRawBufferPointer) -> Void)] = [
    ("parquet", { readParquet($0) }), ("event", { decodeEvent($0) }), ("json", { parseJSON($0) }),
    ("action", { parseActions($0) }), ("checkpoint", { parseCheckpointFiles($0) }),
  ]

  @Test(arguments: targets.map(\.name))
  func `every seed is an answer, never a trap`(name: String) throws {
    let read = try #require(Self.targets.first { $0.name == name }?.read)
    let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Corpus/\(name)")
    let seeds = try FileManager.default.contentsOfDirectory(
      at: corpus, includingPropertiesForKeys: nil)
    #expect(!seeds.isEmpty)
    for seed in seeds {
      let bytes = [UInt8](try Data(contentsOf: seed))
      bytes.withUnsafeBytes(read)
      // Cut short and with one bit flipped, too: the fuzzers begin there.
      for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 50)) {
        Array(bytes[..<position]).withUnsafeBytes(read)
        var damaged = bytes
        damaged[position] ^= UInt8(1 << (position % 8))
        damaged.withUnsafeBytes(read)
      }
    }
  }
}
