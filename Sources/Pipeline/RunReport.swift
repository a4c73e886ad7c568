/// What one availableNow run did.
package struct RunReport: Equatable, Sendable {
  package var batches = 0
  /// Offsets worked through; rows plus absent ones.
  package var offsets: Int64 = 0
  package var good: Int64 = 0
  package var dead: Int64 = 0
  package var absent: Int64 = 0
  /// Dead letters by reason, for the summary line.
  package var deadByReason: [String: Int64] = [:]
  package var milliseconds: Int64 = 0
  /// The batch that is complete now; `nil` before the first one.
  package var lastBatch: Int64?
  /// Versions of the tables after the run.
  package var bronzeVersion: Int64?
  package var deadLetterVersion: Int64?
  /// Start and end of each partition in this run.
  package var ranges: [Int32: Range<Int64>] = [:]
  /// Whether a stop request ended the run before its planned end.
  package var wasStopped = false
  /// What Silver made of it; `nil` when it is switched off or was not reached.
  package var silver: SilverReport?

  /// Whether anything was committed.
  package var hasNews: Bool { batches > 0 || (silver?.batches ?? 0) > 0 }

  package init() {}

  /// The part of the summary line after "run N ok: ".
  package var summary: String {
    guard let silver, silver.batches > 0 else { return bronzeSummary }
    return "\(bronzeSummary); silver: \(silver.summary)"
  }

  private var bronzeSummary: String {
    guard batches > 0 else { return "nothing new" }
    var text = "\(Self.grouped(good + dead)) records in \(batches) "
    text += batches == 1 ? "batch" : "batches"
    text += ", \(Self.grouped(dead)) dead"
    if !deadByReason.isEmpty {
      let reasons = deadByReason.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
      text += " (\(reasons.joined(separator: ", ")))"
    }
    if absent > 0 { text += ", \(Self.grouped(absent)) offsets without a visible record" }
    text += ", \(Self.seconds(milliseconds)) s"
    if let bronzeVersion { text += "; bronze v\(bronzeVersion)" }
    if let deadLetterVersion { text += ", dead letter v\(deadLetterVersion)" }
    return text
  }

  /// 1234567 as "1,234,567".
  package static func grouped(_ number: Int64) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return number < 0 ? "-\(text)" : text
  }

  /// 1234 ms as "1.2".
  package static func seconds(_ milliseconds: Int64) -> String {
    "\(milliseconds / 1000).\(milliseconds % 1000 / 100)"
  }
}
