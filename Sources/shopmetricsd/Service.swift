import CLinux
import DurableIO
import Glibc
import Pipeline
import Synchronization
import Systemd

/// The resident daemon: runs by the schedule until it is told to stop.
final class Service: Sendable {
  private let configurationPath: String
  private let log: Log
  private let lock: Confined<InstanceLock>
  private let notifier = ServiceNotifier()
  private let stop = StopRequest()
  private let heartbeat = Heartbeat()
  private let configuration: Mutex<Configuration>
  /// Set by a reload; taken between runs.
  private let reloaded = Mutex<Configuration?>(nil)

  init(_ workplace: Workplace, configurationPath: String) {
    self.configurationPath = configurationPath
    log = workplace.log
    lock = Confined(workplace.lock)
    configuration = Mutex(workplace.configuration)
  }

  static func execute(configurationPath: String) throws(StartFailure) -> ExitStatus {
    let workplace = try Workplace(configurationPath: configurationPath)
    workplace.log.notice(
      "shopmetricsd \(ProgramVersion.number) starting (\(VersionText.library), "
        + "config \(configurationPath))")
    for warning in workplace.warnings() { workplace.log.warning(warning) }
    let pipeline = Confined(try workplace.recoveredPipeline())
    let service = Service(workplace, configurationPath: configurationPath)
    return service.serve(pipeline)
  }

  // MARK: Main thread

  private func serve(_ pipeline: Confined<StreamPipeline>) -> ExitStatus {
    let every = configuration.withLock { $0.schedule.every }
    log.notice("ready; runs every \(every.wholeMilliseconds / 1000) s")
    notifier.ready(status: "ready")
    let thread = RunThread { self.runBySchedule(pipeline.value) }
    let watchdog = notifier.watchdogTimeout?.wholeMilliseconds
    let tick = Int(min(1000, (watchdog ?? 4000) / 4))
    while thread.exitStatus == nil {
      switch Signals.wait(milliseconds: max(50, tick)) {
      case SIGTERM, SIGINT:
        stop.set()
        notifier.stopping(status: "stopping")
      case SIGHUP where thread.exitStatus == nil: reload()
      default: break
      }
      if let watchdog, heartbeat.age < watchdog / 2 { notifier.keepAlive() }
    }
    log.notice("stopped")
    return thread.exitStatus ?? .success
  }

  /// Checks the file now; the run thread takes it over before its next run.
  private func reload() {
    notifier.reloading()
    do {
      let new = try ConfigurationFile.load(path: configurationPath)
      if let obstacle = obstacle(to: new) { return refuseReload(obstacle) }
      reloaded.withLock { $0 = new }
      configuration.withLock { $0 = new }
      log.notice("reloaded \(configurationPath); in force from the next run on")
      notifier.ready(status: "reloaded")
    } catch {
      refuseReload("\n\(error)")
    }
  }

  /// Why a running daemon cannot take settings over that are good in themselves.
  private func obstacle(to new: Configuration) -> String? {
    let old = configuration.withLock { $0 }
    if new.storage.stateDirectory != old.storage.stateDirectory {
      return "storage.state_directory can change only with a restart"
    }
    if new.silver.sessionGap != old.silver.sessionGap {
      return "silver.session_gap can change only with new tables: stop the daemon, run "
        + "\(SilverRebuild.command), start it again"
    }
    return nil
  }

  private func refuseReload(_ reason: String) {
    log.error("reload refused, old settings stay: \(reason)")
    notifier.ready(status: "reload refused, old settings stay")
  }

  // MARK: Run thread

  private func runBySchedule(_ first: StreamPipeline) -> ExitStatus {
    var pipeline = first
    var schedule = Schedule(
      configuration.withLock { $0.schedule }, now: MonotonicClock.milliseconds())
    var number = 0
    while sleep(until: schedule) {
      if let new = reloaded.withLock({ $0.take() }) {
        pipeline = StreamPipeline(configuration: new, lock: lock.value, log: log)
        schedule = Schedule(new.schedule, now: MonotonicClock.milliseconds())
      }
      number += 1
      if let status = run(pipeline, number: number) { return status }
      clinux_release_free_memory()
      schedule.finishRun(now: MonotonicClock.milliseconds())
      announceNext(schedule)
    }
    return .success
  }

  private let lastOutcome = Mutex("")

  /// - Returns: the exit status when the daemon must not go on.
  private func run(_ pipeline: StreamPipeline, number: Int) -> ExitStatus? {
    let notifier = notifier
    let lastStatus = Atomic<Int64>(0)
    let context = RunContext(stop: stop, heartbeat: heartbeat, log: log) { progress in
      let now = MonotonicClock.milliseconds()
      guard now - lastStatus.load(ordering: .relaxed) >= 500 else { return }
      lastStatus.store(now, ordering: .relaxed)
      notifier.status(
        "run \(number), \(progress.query) batch \(progress.batch), "
          + "\(progress.phase.rawValue): \(progress.amount)")
    }
    do {
      let report = try pipeline.run(context)
      let outcome = report.wasStopped ? "stopped" : "ok"
      let text = "run \(number) \(outcome): \(report.summary)"
      let level: LogLevel = report.hasNews || report.wasStopped ? .notice : .debug
      log(level, text, [("run", String(number))])
      lastOutcome.withLock { $0 = "\(text) at \(ClockText.timeOfDay())" }
      return nil
    } catch {
      let problem = PipelineError.translating(error)
      log.error("run \(number) failed \(problem)", [("code", problem.code)])
      lastOutcome.withLock { $0 = "run \(number) failed: \(problem.code)" }
      return problem.isRetried ? nil : problem.exitStatus
    }
  }

  private func announceNext(_ schedule: Schedule) {
    let wait = schedule.wait(now: MonotonicClock.milliseconds())
    let outcome = lastOutcome.withLock { $0 }
    notifier.status("idle; \(outcome); next \(ClockText.timeOfDay(in: wait))")
  }

  /// - Returns: false when a stop was requested.
  private func sleep(until schedule: Schedule) -> Bool {
    while !stop.isSet {
      heartbeat.beat()
      let wait = schedule.wait(now: MonotonicClock.milliseconds())
      if wait == 0 { return true }
      usleep(UInt32(min(wait, 250)) * 1000)
    }
    return false
  }
}
