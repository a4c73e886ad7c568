import DurableIO
import Glibc
import Pipeline

/// `shopmetricsctl silver rebuild`: the Silver tables anew from Bronze, in one switch.
struct RebuildCommand {
  private let configuration: Configuration

  init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  /// Without confirmation only says what would be done.
  func execute(isConfirmed: Bool) throws -> ExitStatus {
    let paths = configuration.paths
    guard isConfirmed else {
      Operator.tell(plan(paths))
      return .success
    }
    let outcome = try rebuild(try Operator.lock(paths))
    Operator.tell(text(outcome))
    return outcome.wasStopped ? .lockHeld : .success
  }

  private func rebuild(_ lock: InstanceLock) throws -> SilverRebuild.Outcome {
    Interruption.catchSignals()
    let stop = StopRequest()
    let log = Operator.log(configuration)
    let context = RunContext(
      stop: stop, heartbeat: Heartbeat(), log: log,
      progress: { _ in if Interruption.isRequested { stop.set() } })
    let rebuild = SilverRebuild(configuration: configuration, lock: lock, log: log)
    return try withExtendedLifetime(lock) { try rebuild.execute(context) }
  }

  private func plan(_ paths: StatePaths) -> String {
    """
    would read all of  \(paths.bronze)
    would replace      \(paths.sessions)
                       \(paths.events)
                       \(paths.silverCheckpoint)
    with a session gap of \(configuration.silver.sessionGap.wholeMilliseconds / 1000) s
    Readers see the old tables until the new ones are complete, then the new ones.
    Room for a second copy of both tables is needed meanwhile.
    Nothing was changed; add --yes to do it. Stop the daemon first.
    """
  }

  private func text(_ outcome: SilverRebuild.Outcome) -> String {
    guard let report = outcome.report else { return "the interrupted rebuild is complete" }
    if outcome.wasStopped {
      return "stopped; readers see the old tables. The same command goes on where this one was"
    }
    return "rebuilt: \(report.summary)"
  }
}
