import Argp
import Glibc
import Kafka
import Pipeline

/// The daemon's front door: the command line, then one of its ways to run.
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
      case .checkConfiguration(let path, let json):
        return ConfigurationCommand(path, json: json).check()
      case .dumpConfiguration(let path, let json):
        return ConfigurationCommand(path, json: json).dump()
      case .checkOnline(let path): return try OnlineCheckCommand.execute(path)
      }
    } catch {
      error.report()
      return error.status
    }
  }
}

/// What `--version` prints.
enum VersionText {
  static var library: String { "librdkafka \(KafkaLibrary.version.text)" }
  static var full: String { "shopmetricsd \(ProgramVersion.number) (\(library))" }
}
