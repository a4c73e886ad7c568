import Pipeline
import Systemd

/// What systemd hears once a second: that the run thread moves, and what it does.
struct Watch {
  private let notifier: ServiceNotifier
  /// Milliseconds between two looks.
  let interval: Int64
  /// How long the run thread may stand still before the watchdog is no longer fed.
  let limit: Int64
  private var shown = ""
  private var stopRequested: Int64?

  /// A stop waits so long for a run that does not move.
  private static let stopPatience: Int64 = 3000

  init(_ notifier: ServiceNotifier) {
    self.notifier = notifier
    let timeout = notifier.watchdogTimeout?.wholeMilliseconds
    interval = max(50, min(1000, (timeout ?? 4000) / 4))
    limit = timeout.map { $0 / 2 } ?? .max
  }

  /// - Returns: false when a requested stop should not wait for the run any longer.
  mutating func look(at snapshot: ServiceSnapshot, isAlive: Bool) -> Bool {
    if isAlive { notifier.keepAlive() }
    let sentence = snapshot.sentence
    if sentence != shown { notifier.status(sentence) }
    shown = sentence
    guard snapshot.isStopping, snapshot.isBusy else { return true }
    let now = MonotonicClock.milliseconds()
    let since = now - (stopRequested ?? now)
    stopRequested = now - since
    guard snapshot.silentMs < Self.stopPatience else { return since < Self.stopPatience }
    // It ends by itself: what it has staged is being dropped, or committed.
    notifier.extendTimeout(by: .seconds(10))
    return true
  }
}
