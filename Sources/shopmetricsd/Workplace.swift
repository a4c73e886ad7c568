import DurableIO
import Kafka
import Pipeline
import Systemd

/// What both ways to run need first: the configuration, the log, the lock, the pipeline.
struct Workplace {
  let configuration: Configuration
  let log: Log
  let lock: InstanceLock

  /// - Throws: `StartFailure`, already worded for people.
  init(configurationPath: String) throws(StartFailure) {
    do {
      configuration = try ConfigurationFile.load(path: configurationPath)
    } catch {
      throw StartFailure(status: .configuration, text: error.description)
    }
    let journal = Journal(identifier: "shopmetricsd")
    log = Log(level: configuration.log.level) { level, message, fields in
      journal.write(priority: level.rawValue, message, fields: fields)
    }
    let paths = configuration.paths
    do {
      try Files.makeDirectories(paths.stateDirectory)
    } catch {
      throw StartFailure(status: .inputOutput, text: error.description)
    }
    do {
      lock = try InstanceLock.acquire(path: paths.lock)
    } catch {
      if case .held = error {
        throw StartFailure(status: .lockHeld, text: "\(error); nothing was changed")
      }
      throw StartFailure(status: .inputOutput, text: error.description)
    }
  }

  /// The pipeline, with the state on disk repaired and known.
  func recoveredPipeline() throws(StartFailure) -> StreamPipeline {
    let pipeline = StreamPipeline(configuration: configuration, lock: lock, log: log)
    do {
      try pipeline.recover()
    } catch {
      let problem = PipelineError.translating(error)
      throw StartFailure(status: problem.exitStatus, text: problem.description)
    }
    return pipeline
  }

  /// What an operator must know before the first run fails.
  func warnings() -> [String] {
    let security = configuration.kafka.security
    guard [.saslSSL, .saslPlaintext].contains(security.securityProtocol) else { return [] }
    return KafkaLibrary.scramWarning(mechanism: security.mechanism.rawValue).map { [$0] } ?? []
  }
}

/// Why the program ends before its first run.
struct StartFailure: Error {
  let status: ExitStatus
  let text: String
}
