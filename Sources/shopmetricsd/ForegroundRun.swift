import DurableIO
import Glibc
import Kafka
import Pipeline

/// `shopmetricsd run --once`: one availableNow run, then the end.
enum ForegroundRun {
  static func execute(configurationPath: String) throws(StartFailure) -> ExitStatus {
    let workplace = try Workplace(configurationPath: configurationPath)
    for warning in workplace.configuration.kafka.warnings { workplace.log.warning(warning) }
    let pipeline = Confined(try workplace.recoveredPipeline())
    let stop = StopRequest()
    let bar = ProgressBar()
    let log = workplace.log
    let context = RunContext(
      stop: stop, heartbeat: Heartbeat(), log: log, progress: { bar.show($0) })
    let news: EventDescriptor
    do {
      news = try EventDescriptor()
    } catch {
      throw StartFailure(.translating(error))
    }
    let thread = try RunThread(news) {
      do {
        let report = try pipeline.value.run(context)
        bar.clear()
        let (outcome, code) = report.wasStopped ? ("stopped", "RUN_STOPPED") : ("ok", "RUN_OK")
        log.notice("run \(outcome): \(report.summary)", [("code", code)])
        return .success
      } catch {
        let problem = PipelineError.translating(error)
        bar.clear()
        log.error("run failed \(problem)", [("code", problem.code)])
        return problem.exitStatus
      }
    }
    let signals = Signals()
    while thread.exitStatus == nil {
      switch signals.wait(milliseconds: 1000, or: news) {
      case SIGTERM, SIGINT: stop.set()
      default: break
      }
    }
    // The lock ends with the process, after everything that it protects.
    withExtendedLifetime(workplace) {}
    return thread.exitStatus ?? .success
  }
}

/// A value that one thread hands to another for good.
struct Confined<Value>: @unchecked Sendable {
  // Safe because the thread that made the value never touches it again.
  let value: Value

  init(_ value: Value) { self.value = value }
}
