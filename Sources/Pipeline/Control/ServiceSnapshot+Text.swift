internal import Systemd

/// What `systemctl status` and `shopmetricsctl status` say in one line.
extension ServiceSnapshot {
  /// The state, the last run, and when the next one starts.
  package var sentence: String {
    guard let refusedReloadMs else { return stateText }
    return "\(stateText); the configuration of \(ClockText.timeOfDay(refusedReloadMs)) was refused"
  }

  private var stateText: String {
    switch state {
    case .starting: "starting: reading checkpoints and tables\(silence)"
    case .running: currentText
    case .idle: "idle; \(lastRun); \(nextText("next"))"
    case .waiting: "waiting; \(nextText("next try")); \(failures); \(lastRun)"
    case .paused: "paused until `shopmetricsctl resume`; \(lastRun)"
    case .stopping: current == nil ? "stopping" : "stopping; \(currentText)"
    }
  }

  private var currentText: String {
    guard let current else { return "" }
    guard let progress = current.progress else { return "run \(current.number) begins\(silence)" }
    return "run \(current.number), \(progress.query) batch \(progress.batch), "
      + "\(progress.phase.rawValue): \(progress.amount)\(silence)"
  }

  /// A step that takes longer than this is worth a word.
  package static let longSilenceMs: Int64 = 5000

  private var silence: String {
    silentMs >= Self.longSilenceMs ? "; no progress for \(silentMs / 1000) s" : ""
  }

  private var lastRun: String { runs.last?.sentence ?? "no run yet" }

  private func nextText(_ word: String) -> String {
    guard let nextRunMs else { return "no run is planned" }
    // Today's times need no date.
    let isSoon = nextRunMs - nowMs < 12 * 3_600_000
    return "\(word) \(isSoon ? ClockText.timeOfDay(nextRunMs) : ClockText.dateAndTime(nextRunMs))"
  }

  private var failures: String {
    consecutiveFailures == 1
      ? "the last run failed" : "the last \(consecutiveFailures) runs failed"
  }
}

extension RunRecord {
  /// "run 33 ok at 11:50:02 (1,842 records, 0 dead, 0.8 s)".
  package var sentence: String {
    let end = ClockText.timeOfDay(startedMs + milliseconds)
    return "run \(number) \(outcome.rawValue) at \(end) "
      + (error?.description ?? "(\(amount), \(RunReport.seconds(milliseconds)) s)")
  }

  /// "1,842 records, 0 dead".
  package var amount: String {
    guard batches > 0 || silverBatches > 0 else { return "nothing new" }
    return "\(RunReport.grouped(records)) records, \(RunReport.grouped(dead)) dead"
  }
}
