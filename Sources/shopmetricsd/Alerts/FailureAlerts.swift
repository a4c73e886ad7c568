import Glibc
import Kafka
import Pipeline
import Synchronization
import Systemd

/// Tells somebody, by the program and the webhook of `[on_failure]`, what `AlertRules` decides.
///
/// Deliveries wait for nobody and nobody waits for them: they have a thread of their own while
/// there are any. Safe from any thread.
final class FailureAlerts: Sendable {
  private struct State {
    var settings: FailureSettings
    var rules: AlertRules
    var waiting: [Alert] = []
    var isDelivering = false
  }

  private let state: Mutex<State>
  private let log: Log
  private let host: String

  init(_ configuration: Configuration, log: Log) {
    self.log = log
    host = Self.hostName()
    let settings = configuration.onFailure
    state = Mutex(
      State(
        settings: settings,
        rules: AlertRules(
          after: settings.after, patience: configuration.successDeadline,
          calendar: configuration.successCalendar, now: .now)))
  }

  /// Takes reloaded settings over; what is known about the runs stays.
  func adopt(_ configuration: Configuration) {
    state.withLock { state in
      state.settings = configuration.onFailure
      state.rules = state.rules.adopting(
        after: state.settings.after, patience: configuration.successDeadline,
        calendar: configuration.successCalendar)
    }
  }

  func noteSuccess() { send { $0.noteSuccess(.now) } }
  func noteFailure(_ error: PipelineError) { send { $0.noteFailure(error) } }
  /// To be called about once a second.
  func noteTime() { send { $0.noteTime(.now) } }
  func noteStop(_ error: PipelineError) { send { $0.noteStop(error) } }

  /// Whether everything that was decided is also delivered, or given up.
  var isDone: Bool { state.withLock { !$0.isDelivering } }

  // MARK: Delivery

  private func send(_ decide: (inout AlertRules) -> Alert?) {
    let begins = state.withLock { state in
      guard let alert = decide(&state.rules) else { return false }
      state.waiting.append(alert)
      defer { state.isDelivering = true }
      return !state.isDelivering
    }
    guard begins else { return }
    do {
      _ = try BackgroundThread(name: "alerts") { self.deliverAll() }
    } catch {
      // The alerts wait for the next one.
      state.withLock { $0.isDelivering = false }
    }
  }

  private func deliverAll() {
    while let (alert, settings) = takeNext() { deliver(alert, settings) }
  }

  private func takeNext() -> (Alert, FailureSettings)? {
    state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.isDelivering = false
        return nil
      }
      return (state.waiting.removeFirst(), state.settings)
    }
  }

  private func deliver(_ alert: Alert, _ settings: FailureSettings) {
    // Of every other event the runs themselves have logged what there is to say.
    if alert.event == .noSuccess { log.error(alert.text, [("code", "NO_SUCCESS")]) }
    let document = alert.document(host: host)
    if let program = settings.exec.first {
      let command = HookCommand(
        program: program, arguments: Array(settings.exec.dropFirst()),
        environment: [
          "SHOPMETRICS_EVENT": alert.event.rawValue, "SHOPMETRICS_CODE": alert.code ?? "",
          "SHOPMETRICS_TEXT": alert.text,
        ], input: document + "\n")
      run(command, for: alert, as: "on_failure.exec (\(program))")
    }
    if let webhook = settings.webhook {
      run(.post(document, to: webhook), for: alert, as: "on_failure.webhook")
    }
  }

  private func run(_ command: HookCommand, for alert: Alert, as hook: String) {
    if let problem = command.run() {
      log.warning("\(hook) did not take the alert: \(problem)", [("code", "ALERT_FAILED")])
    } else {
      log.notice("\(hook) took the alert \(alert.event.rawValue)", [("code", "ALERT")])
    }
  }

  private static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
