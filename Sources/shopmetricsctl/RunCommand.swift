import Glibc
import Pipeline
import Systemd

/// `shopmetricsctl run`: a run at once, and how it went.
struct RunCommand {
  private let client: ControlClient

  init(_ configuration: Configuration) {
    client = ControlClient(path: configuration.controlSocketPath)
  }

  func execute(waits: Bool) throws(PipelineError) -> ExitStatus {
    let number = try client.required(try client.run())
    guard waits else {
      print("run \(number) was asked for")
      return .success
    }
    Interruption.catchSignals()
    while !Interruption.isRequested {
      let snapshot = try client.required(try client.status())
      if let run = snapshot.runs.first(where: { $0.number >= number }) {
        print(PrintableText.escaping(run.sentence))
        return run.outcome == .ok ? .success : run.error?.exitStatus ?? .attention
      }
      if snapshot.isStopping { break }
      usleep(200_000)
    }
    Operator.complain("run \(number) was not waited for to its end")
    return .attention
  }
}

/// `shopmetricsctl pause` and `resume`.
struct PauseCommand {
  private let client: ControlClient

  init(_ configuration: Configuration) {
    client = ControlClient(path: configuration.controlSocketPath)
  }

  func execute(isPaused: Bool) throws(PipelineError) -> ExitStatus {
    let snapshot = try client.required(try client.setPaused(isPaused))
    print(PrintableText.escaping(snapshot.sentence))
    return .success
  }
}

extension ControlClient {
  /// For commands that need a daemon.
  /// - Throws: `DAEMON_NOT_RUNNING`.
  fileprivate func required<Value>(_ answer: Value?) throws(PipelineError) -> Value {
    if let answer { return answer }
    throw PipelineError(
      "DAEMON_NOT_RUNNING", .unavailable, "nobody listens at \(path)", effect: "nothing was done",
      remedy: "`systemctl start shopmetricsd`; without the service, `shopmetricsd run --once` "
        + "makes one run")
  }
}
