package import Systemd

/// Decides what somebody must hear of: each trouble once, and its end once.
package struct AlertRules: Sendable {
  private let after: Int
  /// Milliseconds.
  private let patience: Int64
  private let calendar: CalendarExpression?
  /// From the last success to the calendar's next start, in which nothing is missed: milliseconds.
  private var pause: Int64 = 0
  private var failures = 0
  private var lastError: PipelineError?
  /// When a run last succeeded, or when the watch began.
  private var lastSuccess: ClockReading {
    didSet { notePause() }
  }
  private var hasSucceeded = false
  private var announced: Set<Alert.Event> = []

  /// - Parameters:
  ///   - after: consecutive failed runs.
  ///   - patience: how long no run may have succeeded.
  ///   - calendar: from whose next start on that is counted; `nil` to count from the last success.
  package init(
    after: Int, patience: Duration, calendar: CalendarExpression? = nil, now: ClockReading
  ) {
    self.after = after
    self.patience = patience.wholeMilliseconds
    self.calendar = calendar
    lastSuccess = now
    notePause()
  }

  private mutating func notePause() {
    let next = calendar?.next(after: lastSuccess.wall * 1000)
    pause = next.map { $0 / 1000 - lastSuccess.wall } ?? 0
  }

  /// The same watch under other rules, after a reload.
  package func adopting(
    after: Int, patience: Duration, calendar: CalendarExpression? = nil
  ) -> AlertRules {
    var rules = AlertRules(
      after: after, patience: patience, calendar: calendar, now: lastSuccess)
    (rules.failures, rules.lastError) = (failures, lastError)
    (rules.hasSucceeded, rules.announced) = (hasSucceeded, announced)
    return rules
  }

  package mutating func noteSuccess(_ now: ClockReading) -> Alert? {
    let text = "runs succeed again after \(Self.text(now.monotonic - lastSuccess.monotonic))"
    let wasInTrouble = !announced.isEmpty
    failures = 0
    lastError = nil
    lastSuccess = now
    hasSucceeded = true
    announced = []
    return wasInTrouble ? alert(.recovered, text) : nil
  }

  package mutating func noteFailure(_ error: PipelineError) -> Alert? {
    failures += 1
    lastError = error
    guard failures >= after else { return nil }
    let runs = failures == 1 ? "a run" : "\(failures) runs in a row"
    return announce(.failing, "\(runs) failed: \(error)")
  }

  /// To be called now and then: notices what does not happen.
  package mutating func noteTime(_ now: ClockReading) -> Alert? {
    let silence = now.monotonic - lastSuccess.monotonic
    guard silence - pause >= patience else { return nil }
    let reason = lastError.map { "; the last failure: \($0)" } ?? ""
    return announce(.noSuccess, "no run succeeded for \(Self.text(silence))\(reason)")
  }

  /// The daemon ends by itself.
  package mutating func noteStop(_ error: PipelineError) -> Alert? {
    lastError = error
    // The service manager starts the service again after every other end.
    let isFinal = [.damagedState, .configuration].contains(error.exitStatus)
    let end = isFinal ? "stopped until an operator acts" : "stopped, to be started again"
    return announce(.stopped, "\(end): \(error)")
  }

  private mutating func announce(_ event: Alert.Event, _ text: String) -> Alert? {
    guard announced.insert(event).inserted else { return nil }
    return alert(event, text)
  }

  private func alert(_ event: Alert.Event, _ text: String) -> Alert {
    Alert(
      event: event, code: lastError?.code, text: PrintableText.escaping(text),
      consecutiveFailures: failures,
      lastSuccess: hasSucceeded ? lastSuccess.wall : nil)
  }

  private static func text(_ milliseconds: Int64) -> String {
    let seconds = milliseconds / 1000
    return seconds < 120 ? "\(seconds) s" : "\(seconds / 60) min"
  }
}
