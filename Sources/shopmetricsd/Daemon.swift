import Argp
import Glibc
import Kafka
import Pipeline

/// The daemon's front door: the command line, then one of its three ways to run.
@main struct Daemon {
  static func main() {
    Signals.block()
    switch DaemonCommand.parse(CommandLine.arguments, version: VersionText.full) {
    case .print(let text):
      print(text)
    case .exit(let status):
      exit(status)
    case .run(let command):
      exit(execute(command).rawValue)
    }
  }

  private static func execute(_ command: DaemonCommand) -> ExitStatus {
    do {
      switch command {
      case .serve(let path): return try Service.execute(configurationPath: path)
      case .runOnce(let path): return try ForegroundRun.execute(configurationPath: path)
      case .checkConfiguration(let path): return check(path)
      }
    } catch {
      error.report()
      return error.status
    }
  }

  private static func check(_ path: String) -> ExitStatus {
    do {
      let notes = try ConfigurationFile.check(path: path)
      print("\(path): ok")
      for note in notes { print("note: \(note)") }
      return .success
    } catch {
      let lines = Array("\(error.description)\n".utf8)
      _ = write(STDERR_FILENO, lines, lines.count)
      return .configuration
    }
  }
}

/// What `--version` prints.
enum VersionText {
  static var library: String { "librdkafka \(KafkaLibrary.version.text)" }
  static var full: String { "shopmetricsd \(ProgramVersion.number) (\(library))" }
}
