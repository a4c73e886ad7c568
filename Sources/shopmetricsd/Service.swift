import DurableIO
import Glibc
import Kafka
import Pipeline
import Synchronization
import Systemd

/// The resident daemon, on its main thread: signals, systemd, the control socket.
///
/// It does nothing that can hang with the disk or the brokers, so that it answers while a run
/// does. `RunLoop` is the other half.
final class Service: Sendable {
  let log: Log
  let lock: Confined<InstanceLock>
  let state: ServiceState
  let heartbeat = Heartbeat()
  let stop = StopRequest()
  let alerts: FailureAlerts
  /// Wakes the run thread: its orders have changed.
  let orders: EventDescriptor
  /// Wakes the main thread: what it shows has changed.
  let news: EventDescriptor
  let notifier = ServiceNotifier()
  private let configurationPath: String
  private let accepted: Mutex<Configuration>
  /// Set by a reload; taken between runs.
  private let reloaded = Mutex<Configuration?>(nil)

  private init(_ workplace: Workplace, configurationPath: String) throws(KafkaError) {
    self.configurationPath = configurationPath
    log = workplace.log
    lock = Confined(workplace.lock)
    state = ServiceState(heartbeat: heartbeat)
    alerts = FailureAlerts(workplace.configuration, log: workplace.log)
    accepted = Mutex(workplace.configuration)
    orders = try EventDescriptor()
    news = try EventDescriptor()
  }

  static func execute(configurationPath: String) throws(StartFailure) -> ExitStatus {
    let workplace = try Workplace(configurationPath: configurationPath)
    workplace.log.notice(
      "shopmetricsd \(ProgramVersion.number) starting (\(VersionText.library), "
        + "config \(configurationPath))", [("code", "STARTING")])
    for warning in workplace.configuration.kafka.warnings { workplace.log.warning(warning) }
    do {
      return try Service(workplace, configurationPath: configurationPath).serve()
    } catch let error as StartFailure {
      throw error
    } catch {
      throw StartFailure(.translating(error))
    }
  }

  /// The settings that the next run will have.
  var configuration: Configuration { accepted.withLock { $0 } }

  /// The settings of a reload, once.
  func takeReload() -> Configuration? { reloaded.withLock { $0.take() } }

  // MARK: Main thread

  private func serve() throws(StartFailure) -> ExitStatus {
    let signals = Signals()
    let control = openControl()
    defer { control?.close() }
    let thread = try RunThread(news) { RunLoop(self).execute() }
    var watch = Watch(notifier)
    while thread.exitStatus == nil || !alerts.isDone && !stop.isSet {
      switch signals.wait(milliseconds: watch.interval, or: news) {
      case SIGTERM, SIGINT: requestStop()
      case SIGHUP: reload()
      default: break
      }
      alerts.noteTime()
      let isOver = thread.exitStatus != nil
      guard watch.look(at: state.snapshot, isAlive: isOver || heartbeat.delay < watch.limit) else {
        abandonRun(control)
      }
    }
    return thread.exitStatus ?? .success
  }

  private func openControl() -> ControlServer? {
    let answers = ControlAnswers(service: self)
    do {
      return try ControlServer.open(path: configuration.controlSocketPath, answers.answer)
    } catch {
      log.warning(error.description, [("code", error.code)])
      return nil
    }
  }

  private func requestStop() {
    stop.set()
    orders.signal()
    guard state.noteStopping() else { return }
    notifier.stopping(status: state.snapshot.sentence)
  }

  /// A run that does not move does not hear the stop, either: it waits for a broker or a disk.
  ///
  /// Ending it is what a power cut would do, and the next start goes on exactly.
  private func abandonRun(_ control: ControlServer?) -> Never {
    log.notice(
      "stopped without waiting any longer: \(state.snapshot.sentence)", [("code", "STOPPED")])
    control?.close()
    _exit(ExitStatus.success.rawValue)
  }

  // MARK: Reload

  /// Checks the file now; the run thread takes it over before its next run.
  private func reload() {
    guard !stop.isSet else { return }
    notifier.reloading()
    do {
      let new = try ConfigurationFile.load(path: configurationPath)
      if let obstacle = configuration.obstacle(to: new) { return refuseReload(obstacle) }
      reloaded.withLock { $0 = new }
      accepted.withLock { $0 = new }
      log.setLevel(new.log.level)
      alerts.adopt(new)
      state.noteReload(isRefused: false)
      orders.signal()
      log.notice(
        "reloaded \(configurationPath); in force from the next run on", [("code", "RELOADED")])
    } catch {
      return refuseReload(error.lines.joined(separator: "; "))
    }
    notifier.ready(status: state.snapshot.sentence)
  }

  private func refuseReload(_ reason: String) {
    noteRefusal(reason)
    notifier.ready(status: state.snapshot.sentence)
  }

  private func noteRefusal(_ reason: String) {
    state.noteReload(isRefused: true)
    log.error(
      "reload refused, old settings stay: \(reason)", [("code", "RELOAD_REFUSED")])
  }

  /// The run thread, which may wait for the disk, found that the settings do not fit the tables.
  func withdrawReload(_ problem: PipelineError, for old: Configuration) {
    let isNewest = reloaded.withLock { newer in
      if newer == nil { accepted.withLock { $0 = old } }
      return newer == nil
    }
    guard isNewest else { return }
    log.setLevel(old.log.level)
    alerts.adopt(old)
    noteRefusal(problem.description)
    news.signal()
  }
}

extension Configuration {
  /// Why a running daemon cannot take `new` over, although it is good in itself.
  fileprivate func obstacle(to new: Configuration) -> String? {
    func restart(_ key: String, _ old: String, _ new: String) -> String? {
      old == new ? nil : "\(key) can change only with a restart (now \(old), in the file \(new))"
    }
    if let obstacle = restart(
      "storage.state_directory", storage.stateDirectory, new.storage.stateDirectory)
      ?? restart("control.socket", controlSocketPath, new.controlSocketPath)
    {
      return obstacle
    }
    if kafka.topic != new.kafka.topic {
      return "kafka.topic can change only with new tables (now \(kafka.topic), in the file "
        + "\(new.kafka.topic)): set storage.state_directory to a new directory and restart"
    }
    if silver.sessionGap != new.silver.sessionGap {
      return "silver.session_gap can change only with new tables: stop the daemon, run "
        + "\(SilverRebuild.command), start it again"
    }
    return nil
  }
}
