internal import Synchronization

/// The warnings of one run: each is written once, and counted when it comes again.
///
/// What goes wrong in a batch goes wrong in the next thousand, too. Two warnings are the same when
/// their code and table are or, without a code, their text. Safe from any thread.
final class RepeatedWarnings: Sendable {
  private struct Warning {
    let text: String
    let fields: [Log.Field]
    /// How often it came again.
    var repetitions = 0
  }

  /// So many different ones are kept apart in a run; all others are one.
  private static let limit = 100
  private static let others = "further warnings"
  private let warnings = Mutex<[String: Warning]>([:])

  /// Whether it is the first of its kind in this run.
  func isFirst(_ text: String, _ fields: [Log.Field]) -> Bool {
    let isCoded = fields.contains { $0.name == "code" }
    let kind = fields.filter { $0.name == "code" || $0.name == "table" }.map(\.value)
    let key = isCoded ? kind.joined(separator: " ") : text
    return warnings.withLock { warnings in
      if warnings[key] == nil, warnings.count < Self.limit {
        warnings[key] = Warning(text: text, fields: fields)
        return true
      }
      let isKnown = warnings[key] != nil
      let counted = isKnown ? key : Self.others
      warnings[counted, default: Warning(text: Self.others, fields: [])].repetitions += 1
      return false
    }
  }

  /// Those that came again, each with how often, in the order of their text; then forgets all.
  func take() -> [(text: String, fields: [Log.Field])] {
    let all = warnings.withLock { warnings in
      defer { warnings = [:] }
      return warnings
    }
    return all.values.filter { $0.repetitions > 0 }.sorted { $0.text < $1.text }.map {
      ("\($0.repetitions) more in this run: \($0.text)", $0.fields)
    }
  }
}
