import DeltaLake
import DurableIO
import Foundation
import Kafka
import Testing

@testable import Pipeline

/// A state whose too large letters were retried, with batches in front of and behind the retry.
final class RetriedState: DamagedState {
  let configuration: Configuration

  private static let pristine = Result { try make() }

  init() throws {
    let state = VerifyFixture.newDirectory()
    try FileManager.default.copyItem(
      atPath: try Self.pristine.get().storage.stateDirectory, toPath: state)
    configuration = VerifyFixture.configuration(brokers: "127.0.0.1:1", state: state)
  }

  deinit { try? FileManager.default.removeItem(atPath: configuration.storage.stateDirectory) }

  private static func make() throws -> Configuration {
    let broker = try EmbeddedBroker()
    try VerifyFixture.makeTopic(on: broker)
    var configuration = VerifyFixture.configuration(
      brokers: broker.bootstrapServers, state: VerifyFixture.newDirectory())
    // Each event of the generator is longer.
    configuration.limits.maxValueBytes = 100
    try VerifyFixture.produce(120, seed: 3, to: broker.bootstrapServers)
    try VerifyFixture.ingest(configuration)
    configuration.limits.maxValueBytes = 1 << 20
    try VerifyFixture.produce(30, seed: 4, to: broker.bootstrapServers)
    try VerifyFixture.ingest(configuration)
    try retry(configuration)
    try VerifyFixture.produce(30, seed: 5, to: broker.bootstrapServers)
    try VerifyFixture.ingest(configuration)
    return configuration
  }

  private static func retry(_ configuration: Configuration) throws {
    let lock = try InstanceLock.acquire(path: configuration.paths.lock)
    let retry = DeadLetterRetry(configuration: configuration, lock: lock, log: .silent)
    let outcome = try retry.execute(.all) { false }
    guard outcome.commits == 1, outcome.tally.good > 50 else {
      throw FixtureError(description: "the retry did \(outcome)")
    }
  }

  var bronze: String { configuration.paths.bronze }
  var letters: String { configuration.paths.deadLetter }

  func verify() throws -> VerificationReport { try StateVerifier.verify(configuration) }

  /// The commit of the retry in a table.
  func retryCommit(in path: String) throws -> String {
    let table = try #require(try DeltaTable.open(path: path))
    let found = try table.commitInfo(ofTransaction: DeadLetterRetry.name, version: 0)
    return logFile(of: path, Int(try #require(found).tableVersion))
  }
}

@Suite("Verification of retried dead letters")
struct RetryVerifyTests {
  @Test func `A state with a retry between batches is sound`() throws {
    let report = try RetriedState().verify()
    #expect(report.findings.map(\.description) == [])
    #expect(report.bronzeRows + report.deadLetterRows == 180)
    #expect(report.batches == 4)
  }

  private static let changes: [(String, String, Set<String>)] = [
    (#""moved":"#, #""moved":1"#, ["BATCH_ROWS", "CONTINUITY"]),
    (#""movedEarlier":0"#, #""movedEarlier":1"#, ["BATCH_ROWS"]),
    (#""dead":"#, #""dead":1"#, ["CONTINUITY"]),
    (#""moved":"#, #""moved":-"#, ["ACCOUNTING_DAMAGED"]),
    (
      #"{"appId":"clickstream_retry","version":0,"lastUpdated":"#,
      #"{"appId":"clickstream_retry","version":0,"lastUpdated":1"#,
      ["BATCH_TIME", "LETTERS_DIFFER"]
    ),
  ]

  @Test(arguments: changes)
  func `An accounting that is not what the tables hold is found`(
    text: String, other: String, codes: Set<String>
  ) throws {
    let state = try RetriedState()
    try state.replaceFirst(text, with: other, in: try state.retryCommit(in: state.bronze))
    if text.contains("lastUpdated") {
      // The first one is in what the commit carries.
      try state.replaceLast(text, with: other, in: try state.retryCommit(in: state.bronze))
    }
    #expect(Set(try state.verify().findings.map(\.code)) == codes)
  }

  @Test func `Letters that were taken out otherwise than carried are found`() throws {
    let state = try RetriedState()
    try state.replaceFirst(
      #""dataChange":true"#, with: #""dataChange":false"#,
      in: try state.retryCommit(in: state.letters))
    #expect(Set(try state.verify().findings.map(\.code)) == ["LETTERS_DIFFER"])
  }
}
