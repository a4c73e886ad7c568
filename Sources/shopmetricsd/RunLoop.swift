import CLinux
import Glibc
import Kafka
import Pipeline
import Systemd

/// The run thread: the one place that decides when a run starts.
///
/// Other threads leave what they want in `Service` and wake it; nothing of it is shared.
final class RunLoop {
  private let service: Service
  private var configuration: Configuration
  private var pipeline: StreamPipeline
  private var schedule: RunSchedule

  init(_ service: Service) {
    self.service = service
    configuration = service.configuration
    pipeline = StreamPipeline(
      configuration: configuration, lock: service.lock.value, log: service.log)
    schedule = RunSchedule(configuration.schedule, now: .now)
  }

  /// Recovers, then runs until it is told to stop or a run ends the daemon.
  func execute() -> ExitStatus {
    do {
      try pipeline.recover()
    } catch {
      let problem = PipelineError.translating(error)
      service.alerts.noteStop(problem)
      StartFailure(problem).report()
      return problem.exitStatus
    }
    beReady()
    while awaitRun() {
      if let status = run() { return status }
      clinux_release_free_memory()
    }
    service.log.notice("stopped", [("code", "STOPPED")])
    return .success
  }

  private func beReady() {
    service.heartbeat.beat()
    service.state.noteReady()
    let settings = configuration.schedule
    let every = ClockText.span(settings.every.wholeMilliseconds)
    let rule = settings.calendar.map { "at \($0)" } ?? "every \(every)"
    service.log.notice(
      "ready; \(settings.runAtStart ? "first run now, then" : "runs") \(rule)",
      [("code", "READY")])
    service.notifier.ready(status: service.state.snapshot.sentence)
  }

  // MARK: Between runs

  /// Sleeps until a run is due.
  ///
  /// It wakes up when there are orders, and once a second: to show that it could, and to notice a
  /// time of day that was set.
  /// - Returns: false when a stop was requested.
  private func awaitRun() -> Bool {
    while !service.stop.isSet {
      service.heartbeat.beat()
      if let new = service.takeReload() { adopt(new) }
      let wait = nextStart()
      if wait == 0 { return true }
      _ = service.orders.wait(.milliseconds(min(1000, wait ?? 1000)))
      // Orders that come from here on end the next wait; the others are read now.
      service.orders.clear()
    }
    return false
  }

  /// Milliseconds; `nil` when no run is planned.
  private func nextStart() -> Int64? {
    if service.state.isRunRequested { return 0 }
    // Asked in a pause as well, since it watches the clock.
    let wait = schedule.wait(.now)
    service.state.noteNextRun(in: wait)
    return service.state.isPaused ? nil : wait
  }

  private func adopt(_ new: Configuration) {
    if let problem = misfit(of: new) { return service.withdrawReload(problem, for: configuration) }
    pipeline = StreamPipeline(configuration: new, lock: service.lock.value, log: service.log)
    let failed = service.state.snapshot.consecutiveFailures > 0
    if new.schedule != configuration.schedule {
      var settings = new.schedule
      settings.runAtStart = false
      schedule = RunSchedule(settings, now: .now)
    }
    // Whoever corrects the settings after a failure wants to see whether it helped.
    if failed { schedule.requestRun() }
    configuration = new
  }

  /// Why settings that are good in themselves would end the daemon at its next run.
  private func misfit(of new: Configuration) -> PipelineError? {
    do throws(PipelineError) {
      _ = try StateFit.examine(new)
      return nil
    } catch {
      // Other troubles are no matter of the settings: the run judges them.
      return error.kind == .configuration ? error : nil
    }
  }

  // MARK: A run

  /// - Returns: the exit status when the daemon must not go on.
  private func run() -> ExitStatus? {
    let state = service.state
    let began = ClockReading.now
    let number = state.beginRun()
    schedule.startRun(began)
    service.news.signal()
    let context = RunContext(
      stop: service.stop, heartbeat: service.heartbeat, log: service.log,
      progress: { state.note($0) }, planned: { state.notePlannedEnds($0) })
    let result = Result { try pipeline.run(context) }.mapError(PipelineError.translating)
    let record = RunRecord(
      number: number, startedMs: began.wall,
      milliseconds: ClockReading.now.monotonic - began.monotonic, result)
    switch result {
    case .success: if record.isSuccess { schedule.noteSuccess() }
    case .failure(let problem):
      schedule.noteFailure(isTransient: problem.kind == .unavailable, .now)
    }
    let failures = state.endRun(record, nextRunIn: schedule.wait(.now))
    service.news.signal()
    switch result {
    case .success(let report):
      noteEnd(of: record, report, failuresBefore: record.isSuccess ? failures.before : 0)
      return nil
    case .failure(let problem):
      return noteFailure(of: record, problem)
    }
  }

  /// - Parameter failuresBefore: those that this run put an end to.
  private func noteEnd(of run: RunRecord, _ report: RunReport, failuresBefore: Int64) {
    var text = "run \(run.number) \(run.outcome.rawValue): \(report.summary)"
    var code = run.outcome == .stopped ? "RUN_STOPPED" : "RUN_OK"
    if failuresBefore > 0 {
      code = "RECOVERED"
      text += "; \(failuresBefore == 1 ? "the run" : "\(failuresBefore) runs") before it failed"
    }
    let isNews = report.hasNews || report.wasStopped || failuresBefore > 0
    service.log(
      isNews ? .notice : .debug, text,
      [
        ("code", code), ("run", String(run.number)), ("records", String(run.records)),
        ("dead", String(run.dead)), ("milliseconds", String(run.milliseconds)),
      ])
    guard run.isSuccess else { return }
    service.alerts.noteSuccess()
  }

  private func noteFailure(of run: RunRecord, _ problem: PipelineError) -> ExitStatus? {
    service.log.error(
      "run \(run.number) failed \(problem)",
      [("code", problem.code), ("run", String(run.number))])
    guard problem.isRetried else {
      service.alerts.noteStop(problem)
      return problem.exitStatus
    }
    service.alerts.noteFailure(problem)
    return nil
  }
}
