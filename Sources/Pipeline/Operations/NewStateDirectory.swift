package import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// A state directory with nothing in it but where its stream begins: the way to read records again
/// without storing any of them twice in the tables that are there.
package struct NewStateDirectory {
  private let configuration: Configuration
  private let log: Log

  /// - Parameter path: absolute; absent, or without tables and checkpoint.
  package init(_ path: String, _ configuration: Configuration, log: Log) {
    var configuration = configuration
    configuration.storage.stateDirectory = path
    self.configuration = configuration
    self.log = log
  }

  package var path: String { configuration.storage.stateDirectory }

  /// Where a stream would begin: the offset in each partition, and how many records are behind
  /// that now.
  ///
  /// - Throws: `STATE_DIRECTORY` when the directory is in use or cannot be made; `PipelineError`
  ///   when the brokers do not answer.
  package func plan(
    _ wanted: ResetGoal
  ) throws -> (start: [Int32: Int64], waiting: Int64) {
    do {
      try checkUnused()
      let kafka = configuration.kafka
      let consumer = try KafkaConsumer.open(configuration, expectedPartitions: 0, log: log)
      defer { consumer.close() }
      let bounds = try consumer.bounds(timeout: kafka.connectTimeout)
      let start = try consumer.position(wanted, in: bounds, kafka)
      let waiting = start.reduce(0) { $0 + (bounds.end[$1.key] ?? $1.value) - $1.value }
      return (start, waiting)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  /// Makes the directory and, in one step, its checkpoint.
  ///
  /// - Parameter lock: takes the lock of the directory, which is there by then.
  /// - Throws: `PipelineError`; the same again goes on.
  package func make(
    beginningAt start: [Int32: Int64], lock: (StatePaths) throws -> InstanceLock
  ) throws {
    do {
      try Files.makeDirectories(path)
      let lock = try lock(configuration.paths)
      try withExtendedLifetime(lock) {
        try checkUnused()
        let paths = configuration.paths
        let place = CheckpointPlace(
          paths.bronzeCheckpoint, work: paths.checkpointWork, Publisher(lock: lock))
        let fresh = try place.makeFresh()
        _ = try fresh.createQueryIfNeeded()
        try fresh.addInitialOffsets(
          KafkaOffsetsJSON.text(
            topic: configuration.kafka.topic, offsets: start, order: .ascending))
        try place.takeFresh()
      }
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private func checkUnused() throws {
    func refuse(_ problem: String) -> PipelineError {
      PipelineError(
        "STATE_DIRECTORY", .configuration, "--new-tables \(problem)",
        remedy: "name another directory, or make it for the service: install -d -m 0750 -o "
          + "shopmetrics -g shopmetrics DIR")
    }
    if let problem = StateDirectoryCheck.problem(path) { throw refuse(problem) }
    let paths = configuration.paths
    for place in [
      paths.bronzeCheckpoint, paths.silverCheckpoint, paths.bronze, paths.deadLetter,
      paths.sessions, paths.events,
    ] where try Files.exists(place) {
      throw refuse("is \(path), which is in use: \(place) exists")
    }
  }
}
