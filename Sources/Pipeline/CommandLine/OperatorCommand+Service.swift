internal import Argp

/// The running daemon: what it does, and when.
extension OperatorCommand {
  static let service = Group(
    commands: [
      CommandRow("status", "What the daemon does, where the stream is and what its last batch did"),
      CommandRow("lag", "How far each partition is behind the topic; exit 1 when one stands still"),
      CommandRow("runs", "The last runs of the daemon"),
      CommandRow("run", "Start a run at once, whatever the schedule says"),
      CommandRow("pause", "Start no run by the schedule, until resume or a restart"),
      CommandRow("resume", "Go on by the schedule"),
    ],
    withJSON: ["status", "lag", "runs"],
    options: [
      OptionRow("watch", .none, "Show it again each second, until interrupted", of: ["status"]),
      OptionRow("wait", .none, "Until the run is over; exit 0 when it went well", of: ["run"]),
    ],
    examples: [
      ("shopmetricsctl status --watch", "Look on while the daemon works"),
      ("shopmetricsctl lag", "Which partition is behind, and for how long"),
      ("shopmetricsctl run --wait", "Take what the topic has now, and say how that went"),
    ],
    read: { (parsed) throws(UsageError) -> OperatorCommand? in
      let path = parsed.configuration
      let json = parsed.has("json")
      return switch parsed.command {
      case "status": .status(configuration: path, json: json, watches: parsed.has("watch"))
      case "lag": .lag(configuration: path, json: json)
      case "runs": .runs(configuration: path, json: json)
      case "run": .run(configuration: path, waits: parsed.has("wait"))
      case "pause": .pause(configuration: path)
      case "resume": .resume(configuration: path)
      default: nil
      }
    })
}
