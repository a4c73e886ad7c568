import Argp
import DurableIO
import Glibc
import Kafka
import Pipeline
import Systemd

/// The operator's tool: reads what is on disk, and makes events to try things with.
@main struct Operator {
  static func main() {
    let library = KafkaLibrary.version.text
    let version = "shopmetricsctl \(ProgramVersion.number) (librdkafka \(library))"
    switch OperatorCommand.parse(CommandLine.arguments, version: version) {
    case .print(let text):
      print(text)
    case .exit(let status):
      exit(status)
    case .run(let command):
      exit(execute(command).rawValue)
    }
  }

  private static func execute(_ command: OperatorCommand) -> ExitStatus {
    do {
      switch command {
      case .produce(let options): return try ProduceCommand(options).execute()
      case .status(let path, let json, let watches):
        return try StatusCommand(try configuration(path)).execute(json: json, watches: watches)
      case .lag(let path, let json):
        return try LagCommand(try configuration(path, asksBrokers: true)).execute(json: json)
      case .runs(let path, let json):
        return try RunsCommand(try configuration(path)).execute(json: json)
      case .run(let path, let waits):
        return try RunCommand(try configuration(path)).execute(waits: waits)
      case .pause(let path):
        return try PauseCommand(try configuration(path)).execute(isPaused: true)
      case .resume(let path):
        return try PauseCommand(try configuration(path)).execute(isPaused: false)
      case .showCheckpoint(let path, let json):
        return try CheckpointCommand(try configuration(path)).execute(json: json)
      case .moveStream(let path, let order, let isConfirmed):
        return try MoveCommand(try configuration(path, asksBrokers: true), order)
          .execute(isConfirmed: isConfirmed)
      case .beginElsewhere(let path, let directory, let goal, let isConfirmed):
        return try NewTablesCommand(try configuration(path, asksBrokers: true), directory, goal)
          .execute(isConfirmed: isConfirmed)
      case .rebuildCheckpoint(let path, let isConfirmed):
        return try RebuildCheckpointCommand(try configuration(path))
          .execute(isConfirmed: isConfirmed)
      case .tables(let path, let json):
        return try TablesCommand(try configuration(path)).execute(json: json)
      case .verify(let path, let json, let isDeep):
        return try VerifyCommand(try configuration(path)).execute(json: json, isDeep: isDeep)
      case .rebuildSilver(let path, let isConfirmed):
        return try RebuildCommand(try configuration(path)).execute(isConfirmed: isConfirmed)
      case .listDeadLetters(let path, let json, let reason, let count):
        return try DeadLettersCommand(try configuration(path))
          .list(json: json, reason: reason, count: count)
      case .retryDeadLetters(let path, let selection, let isConfirmed):
        return try DeadLettersCommand(try configuration(path))
          .retry(selection, isConfirmed: isConfirmed)
      }
    } catch let error as ConfigurationErrors {
      complain(error.description)
      return .configuration
    } catch let error as InstanceLock.Failure {
      complain("shopmetricsctl: \(error); stop it first. Nothing was changed")
      if case .held = error { return .lockHeld }
      return .inputOutput
    } catch {
      let problem = PipelineError.translating(error)
      complain("shopmetricsctl: \(problem)")
      return problem.exitStatus
    }
  }

  /// The configuration of a command that may only be allowed to read.
  ///
  /// - Parameter asksBrokers: whether what cannot be seen from here, such as the service's
  ///   credentials, is missed when the brokers are asked; then it is said.
  /// - Throws: `ConfigurationErrors`.
  static func configuration(_ path: String, asksBrokers: Bool = false) throws -> Configuration {
    let found = try ConfigurationFile.look(path: path)
    if asksBrokers { for note in found.notes { complain("note: \(note)") } }
    return found.configuration
  }

  /// Takes the state directory for a command that changes what is in it.
  ///
  /// - Throws: `InstanceLock.Failure`, with the holder's process id; `SystemError`.
  static func lock(_ paths: StatePaths) throws -> InstanceLock {
    try StateOwner.become(ownerOf: paths.stateDirectory)
    return try InstanceLock.acquire(path: paths.lock)
  }

  /// What commands tell while they work.
  static func log(_ configuration: Configuration) -> Log {
    Log(level: configuration.log.level) { level, message, _ in
      if level <= .notice { complain(message) }
    }
  }

  /// A command's answer, in which names from outside may stand.
  static func tell(_ text: String) { print(PrintableText.escapingLines(text)) }

  static func complain(_ text: String) {
    let bytes = Array("\(PrintableText.escapingLines(text))\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
