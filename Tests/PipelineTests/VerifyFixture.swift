import Clickstream
import DurableIO
import Foundation
import Kafka

@testable import Pipeline

/// A state directory that the pipeline made from a mock cluster's topic, to look at or to damage.
final class VerifyFixture: DamagedState {
  let state: String

  private static let topic = "clickstream-events"
  private static let pristine = Result { try make() }

  /// A copy of a state of several batches with rows and letters in both tables.
  init() throws {
    state = Self.newDirectory()
    try FileManager.default.copyItem(atPath: try Self.pristine.get(), toPath: state)
  }

  deinit { try? FileManager.default.removeItem(atPath: state) }

  var configuration: Configuration { Self.configuration(brokers: "127.0.0.1:1", state: state) }
  var bronze: String { configuration.paths.bronze }
  var letters: String { configuration.paths.deadLetter }
  var checkpoint: String { configuration.paths.bronzeCheckpoint }

  func verify() throws -> VerificationReport { try StateVerifier.verify(configuration) }

  // MARK: Making

  static func newDirectory() -> String {
    FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/verify-"
      + UUID().uuidString
  }

  static func configuration(brokers: String, state: String) -> Configuration {
    var configuration = Configuration(brokers: [brokers])
    configuration.kafka.topic = topic
    configuration.storage.stateDirectory = state
    configuration.limits.maxOffsetsPerBatch = 100
    return configuration
  }

  private static func make() throws -> String {
    let broker = try EmbeddedBroker()
    try broker.createTopic(topic, partitions: 3)
    try produce(396, seed: 7, to: broker.bootstrapServers)
    let configuration = configuration(brokers: broker.bootstrapServers, state: newDirectory())
    try ingest(configuration)
    return configuration.storage.stateDirectory
  }

  static func makeTopic(on broker: EmbeddedBroker) throws {
    try broker.createTopic(topic, partitions: 3)
  }

  static func produce(_ count: Int, seed: UInt64, to brokers: String) throws {
    var options = GeneratorOptions()
    options.malformedRatio = 0.2
    var generator = ClickEventGenerator(seed: seed, options: options, startTime: 0)
    let producer = try KafkaProducer(KafkaConfiguration(brokers: [brokers]))
    for number in 0..<count {
      let event = generator.next(now: 1_700_000_000_000_000 + Int64(number) * 1000)
      // Each batch has letters, and each partition rows: the key would leave that to chance.
      try producer.send(
        topic: topic, key: event.key, value: event.value, partition: Int32(number % 3))
    }
    try producer.flush(timeout: .seconds(10))
  }

  /// One run of the daemon's.
  static func ingest(_ configuration: Configuration) throws {
    try Files.makeDirectories(configuration.storage.stateDirectory)
    let lock = try InstanceLock.acquire(path: configuration.paths.lock)
    let query = BronzeQuery(configuration: configuration, lock: lock, log: .silent)
    try query.recover()
    _ = try query.run(
      RunContext(stop: StopRequest(), heartbeat: Heartbeat(), log: .silent, progress: { _ in }))
  }

  // MARK: Damage

  /// The data files of a table, in the order of their batches.
  func dataFiles(of table: String) throws -> [String] {
    try Files.list(table).filter { $0.hasSuffix(".parquet") }.sorted().map { "\(table)/\($0)" }
  }
}

/// Something on disk that is damaged on purpose.
protocol DamagedState {}

struct FixtureError: Error, CustomStringConvertible {
  let description: String
}

extension DamagedState {
  func logFile(of table: String, _ version: Int) -> String {
    let digits = String(version)
    return "\(table)/_delta_log/" + String(repeating: "0", count: 20 - digits.count) + digits
      + ".json"
  }

  func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

  /// - Parameter position: from the end when negative.
  func flipByte(of path: String, at position: Int) throws {
    var bytes = try Files.read(path)
    bytes[position < 0 ? bytes.count + position : position] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  func replaceFirst(_ text: String, with other: String, in path: String) throws {
    try replace(text, with: other, in: path, [])
  }

  func replaceLast(_ text: String, with other: String, in path: String) throws {
    try replace(text, with: other, in: path, .backwards)
  }

  private func replace(
    _ text: String, with other: String, in path: String, _ options: String.CompareOptions
  ) throws {
    let before = String(decoding: try Files.read(path), as: UTF8.self)
    guard let range = before.range(of: text, options: options) else {
      throw FixtureError(description: "\(path) holds no \(text)")
    }
    let after = before.replacingCharacters(in: range, with: other)
    try Data(after.utf8).write(to: URL(fileURLWithPath: path))
  }
}
