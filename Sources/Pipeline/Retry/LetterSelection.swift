package import Clickstream

/// Which dead letters are decoded again.
package struct LetterSelection: Equatable, Sendable {
  private let reason: DeadLetterReason?

  /// All that stand for a record.
  package static let all = LetterSelection(reason: nil)

  /// - Returns: `nil` for `data_loss`, whose letters stand for offsets that nobody has read.
  package init?(_ reason: DeadLetterReason) {
    guard reason != .dataLoss else { return nil }
    self.init(reason: reason)
  }

  private init(reason: DeadLetterReason?) { self.reason = reason }

  func includes(_ text: String) -> Bool {
    reason.map { $0.rawValue == text } ?? (text != DeadLetterReason.dataLoss.rawValue)
  }

  /// As options of the command.
  package var option: String { reason.map { "--reason \($0.rawValue)" } ?? "--all" }
}

/// What decoding letters again comes to, by the reason that they have.
package struct LetterTally: Equatable, Sendable {
  package private(set) var reasons: [String: Counts] = [:]

  package struct Counts: Equatable, Sendable {
    /// Events now.
    package var good: Int64 = 0
    /// Still no events, and for another reason.
    package var changed: Int64 = 0
    package var unchanged: Int64 = 0
  }

  package init() {}

  package var good: Int64 { reasons.values.reduce(0) { $0 + $1.good } }
  package var changed: Int64 { reasons.values.reduce(0) { $0 + $1.changed } }
  package var unchanged: Int64 { reasons.values.reduce(0) { $0 + $1.unchanged } }

  /// Whether tables differ afterwards.
  var changesSomething: Bool { good + changed > 0 }

  mutating func note(_ reason: String, _ verdict: LetterVerdict) {
    switch verdict {
    case .good: reasons[reason, default: Counts()].good += 1
    case .changed: reasons[reason, default: Counts()].changed += 1
    case .unchanged: reasons[reason, default: Counts()].unchanged += 1
    }
  }

  mutating func add(_ other: LetterTally) {
    reasons.merge(other.reasons) {
      Counts(
        good: $0.good + $1.good, changed: $0.changed + $1.changed,
        unchanged: $0.unchanged + $1.unchanged)
    }
  }
}

/// What decoding a letter again says.
enum LetterVerdict {
  case good
  case changed(DeadLetter)
  case unchanged
}
