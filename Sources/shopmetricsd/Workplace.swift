import DurableIO
import Glibc
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
      throw StartFailure(error)
    }
    log = Log(level: configuration.log.level, to: Journal(identifier: "shopmetricsd"))
    let paths = configuration.paths
    do {
      try StateOwner.become(ownerOf: paths.stateDirectory)
      try Files.makeDirectories(paths.stateDirectory)
    } catch {
      throw StartFailure(.translating(error))
    }
    do {
      lock = try InstanceLock.acquire(path: paths.lock)
    } catch {
      switch error {
      case .held: throw StartFailure("LOCK_HELD", .lockHeld, "\(error); nothing was changed")
      case .system(let error): throw StartFailure(.translating(error))
      }
    }
  }

  /// The pipeline, with the state on disk repaired and known.
  func recoveredPipeline() throws(StartFailure) -> StreamPipeline {
    let pipeline = StreamPipeline(configuration: configuration, lock: lock, log: log)
    do {
      try pipeline.recover()
    } catch {
      throw StartFailure(.translating(error))
    }
    return pipeline
  }
}

extension Log {
  /// Lines with a code get the journal's id of their kind.
  init(level: LogLevel, to journal: Journal) {
    self.init(level: level) { level, message, fields in
      let code = fields.first { $0.name == "code" }?.value
      journal.write(
        priority: level.rawValue, message, messageID: code.flatMap(MessageCatalog.id(of:)),
        fields: fields)
    }
  }
}

/// Why the program ends before its first run.
struct StartFailure: Error {
  let code: String
  let status: ExitStatus
  /// For a terminal.
  private let text: String
  /// The same for the journal, an entry each.
  private let lines: [String]

  init(_ code: String, _ status: ExitStatus, _ text: String) {
    (self.code, self.status, self.text, lines) = (code, status, text, [text])
  }

  init(_ problem: PipelineError) {
    self.init(problem.code, problem.exitStatus, problem.description)
  }

  init(_ errors: ConfigurationErrors) {
    (code, status) = ("CONFIGURATION_INVALID", .configuration)
    (text, lines) = (errors.description, errors.lines)
  }

  /// Tells whoever started the program: the journal, or the terminal.
  func report() {
    let journal = Journal(identifier: "shopmetricsd")
    if journal.destination == .native {
      let log = Log(level: .error, to: journal)
      for line in lines { log.error(line, [("code", code)]) }
    } else {
      let bytes = Array("shopmetricsd: \(PrintableText.escapingLines(text))\n".utf8)
      _ = write(STDERR_FILENO, bytes, bytes.count)
    }
  }
}
