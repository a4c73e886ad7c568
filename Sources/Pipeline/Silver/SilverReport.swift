internal import Clickstream

/// What one run of the Silver query did.
package struct SilverReport: Equatable, Sendable {
  package var batches = 0
  /// Bronze rows read, those that were new events, and those that were not.
  package var read: Int64 = 0
  package var unique: Int64 = 0
  package var duplicates: Int64 = 0
  /// Sessions that began, that got further events, and that vanished into others.
  package var created: Int64 = 0
  package var extended: Int64 = 0
  package var merged: Int64 = 0
  /// Sessions that became final, and final ones that late events changed.
  package var becameFinal: Int64 = 0
  package var reopened: Int64 = 0
  /// From Kafka's timestamp of a record to its events being visible, milliseconds.
  package var meanLatencyMs: Int64?
  package var greatestLatencyMs: Int64?
  package var milliseconds: Int64 = 0
  /// The batch that is complete now; `nil` before the first one.
  package var lastBatch: Int64?
  package var sessionsVersion: Int64?
  package var eventsVersion: Int64?
  /// The newest batch's, in milliseconds since 1970; 0 before there is one.
  package var watermarkMs: Int64 = 0
  /// Whether a stop request ended the run before its planned end.
  package var wasStopped = false

  package init() {}

  /// The part of the summary line after "silver: ".
  package var summary: String {
    guard batches > 0 else { return "nothing new" }
    var text = "\(RunReport.grouped(unique)) new events"
    if duplicates > 0 { text += " (\(RunReport.grouped(duplicates)) duplicates dropped)" }
    text += ", sessions: \(RunReport.grouped(created)) new, \(RunReport.grouped(extended)) extended"
    if merged > 0 { text += ", \(RunReport.grouped(merged)) joined" }
    text += ", \(RunReport.grouped(becameFinal)) became final"
    if reopened > 0 { text += ", \(RunReport.grouped(reopened)) closed ones corrected" }
    text += ", \(RunReport.seconds(milliseconds)) s"
    if let sessionsVersion { text += "; sessions v\(sessionsVersion)" }
    if let eventsVersion { text += ", events v\(eventsVersion)" }
    if let meanLatencyMs, let greatestLatencyMs {
      text +=
        "; from Kafka to Silver in \(RunReport.seconds(meanLatencyMs)) s on average, "
        + "\(RunReport.seconds(greatestLatencyMs)) s at most"
    }
    return text
  }
}

extension SilverReport {
  /// Takes a batch in that was just committed.
  mutating func note(_ staged: SilverBatch.Staged, _ accounting: SilverAccounting) {
    batches += 1
    unique += accounting.rows.unique
    duplicates += accounting.rows.duplicates
    created += Int64(staged.change.created)
    extended += Int64(staged.change.extended)
    merged += Int64(staged.change.merged)
    becameFinal += Int64(staged.sessions.counts.becameFinal)
    reopened += Int64(staged.reopened)
    noteLatency(staged.arrival)
  }

  /// The mean is that of the newest batch; the greatest that of the run.
  private mutating func noteLatency(_ arrival: ArrivalStatistics) {
    guard let mean = arrival.mean, let oldest = arrival.earliest else { return }
    let now = wallClockMilliseconds()
    meanLatencyMs = max(0, now - mean / 1000)
    greatestLatencyMs = max(greatestLatencyMs ?? 0, now - oldest / 1000)
  }
}
