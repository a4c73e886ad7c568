import DurableIO
import Foundation
import Kafka
import Testing

@testable import Pipeline

@Suite("Verification of states that are not damaged")
struct VerifyStateTests {
  @Test func `An empty state directory is sound`() throws {
    let configuration = VerifyFixture.configuration(
      brokers: "127.0.0.1:1", state: VerifyFixture.newDirectory())
    let report = try StateVerifier.verify(configuration)
    #expect(report == VerificationReport())
  }

  @Test func `A batch that waits for its end is a note, and no finding`() throws {
    let fixture = try VerifyFixture()
    try fixture.remove(fixture.checkpoint + "/commits/\(fixture.newestBatch())")
    let report = try fixture.verify()
    #expect(report.findings == [])
    #expect(report.notes.count == 1)
    #expect(report.notes.allSatisfy { $0.contains("row D") })
  }

  @Test func `A batch whose letters are still to be committed is a note, and no finding`() throws {
    let fixture = try VerifyFixture()
    let newest = try fixture.newestBatch()
    try fixture.remove(fixture.checkpoint + "/commits/\(newest)")
    try fixture.remove(fixture.logFile(of: fixture.letters, newest + 1))
    let report = try fixture.verify()
    #expect(report.findings == [])
    #expect(report.notes.contains { $0.contains("row D") })
    #expect(report.notes.contains { $0.contains("data files that no commit names") })
  }

  @Test func `A logged batch that is in no table is a note, and no finding`() throws {
    let fixture = try VerifyFixture()
    let newest = try fixture.newestBatch()
    try fixture.remove(fixture.checkpoint + "/commits/\(newest)")
    for table in [fixture.bronze, fixture.letters] {
      try fixture.remove(fixture.logFile(of: table, newest + 1))
    }
    let report = try fixture.verify()
    #expect(report.findings == [])
    #expect(report.notes.contains { $0.contains("row C") })
  }

  @Test func `What a crash left behind is a note, and no finding`() throws {
    let fixture = try VerifyFixture()
    let names = [
      "\(fixture.bronze)/clickstream_bronze-00000099-x.zstd.parquet",
      "\(fixture.checkpoint)/offsets/.9.00000000-0000-0000-0000-000000000000.tmp",
    ]
    for name in names { try Data("half".utf8).write(to: URL(fileURLWithPath: name)) }
    let report = try fixture.verify()
    #expect(report.findings == [])
    #expect(report.notes.count == 2)
  }

  @Test func `Verification changes no file`() throws {
    let fixture = try VerifyFixture()
    func listing() throws -> [String] {
      let files = try FileManager.default.subpathsOfDirectory(atPath: fixture.state).sorted()
      return try files.map { "\($0) \(try #require(try Files.status("\(fixture.state)/\($0)")))" }
    }
    let before = try listing()
    #expect(before.count > 20)
    _ = try fixture.verify()
    #expect(try listing() == before)
  }

  @Test func `A state is sound at every moment while the daemon is at work on it`() throws {
    let broker = try EmbeddedBroker()
    try VerifyFixture.makeTopic(on: broker)
    let state = VerifyFixture.newDirectory()
    defer { try? FileManager.default.removeItem(atPath: state) }
    let configuration = VerifyFixture.configuration(
      brokers: broker.bootstrapServers, state: state)
    let isDone = StopRequest()
    let failure = Failure()
    let daemon = Thread {
      do {
        for round in 0..<8 {
          try VerifyFixture.produce(500, seed: UInt64(round), to: configuration.kafka.brokers[0])
          try VerifyFixture.ingest(configuration)
        }
      } catch { failure.set("\(error)") }
      isDone.set()
    }
    daemon.start()
    var looks = 0
    var findings: [String] = []
    while !isDone.isSet {
      findings += try StateVerifier.verify(configuration).findings.map(\.description)
      looks += 1
    }
    let last = try StateVerifier.verify(configuration)
    #expect(failure.text == nil)
    #expect(findings == [])
    #expect(last.isSound && last.bronzeRows + last.deadLetterRows == 4000)
    #expect(looks > 1)
  }

  /// The error of the other thread.
  private final class Failure: @unchecked Sendable {
    // Safe because it is written before `isDone` is set and read after that was seen.
    private(set) var text: String?

    func set(_ text: String) { self.text = text }
  }
}

@Suite("Sets of offsets")
struct OffsetRunsTests {
  @Test(arguments: 0..<50)
  func `Unions and repeated offsets are those of a plain set`(seed: UInt64) {
    var random = SystemRandomNumberGenerator()
    var runs = OffsetRuns()
    var plain: Set<Int64> = []
    for _ in 0..<20 {
      let pieces = (0..<Int.random(in: 0..<6, using: &random)).map { _ in
        let start = Int64.random(in: 0..<300, using: &random)
        return start..<start + Int64.random(in: 1..<8, using: &random)
      }
      var inside: Int64?
      let added = OffsetRuns(pieces, firstRepeated: &inside)
      let offsets = pieces.flatMap { Array($0) }
      #expect((inside == nil) == (Set(offsets).count == offsets.count))
      let repeated = runs.formUnion(added)
      #expect(repeated == plain.intersection(offsets).min())
      plain.formUnion(offsets)
      #expect(runs.runs.flatMap { Array($0) } == plain.sorted())
      for (run, next) in zip(runs.runs, runs.runs.dropFirst()) {
        #expect(run.upperBound < next.lowerBound)
      }
    }
  }

  @Test func `Offsets that close a gap leave one run`() {
    var repeated: Int64?
    var runs = OffsetRuns([0..<10, 11..<20], firstRepeated: &repeated)
    #expect(runs.runs.count == 2)
    #expect(runs.formUnion(OffsetRuns([10..<11], firstRepeated: &repeated)) == nil)
    #expect(runs.runs == [0..<20])
  }
}
