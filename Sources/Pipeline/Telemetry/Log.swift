import Synchronization

/// The front that every part of the pipeline logs through; the program decides where it goes.
///
/// A line is for people, its fields are for filters (`journalctl SHOPMETRICS_BATCH=12`). Neither
/// ever carries a payload or a secret. A warning that comes again in the same run is counted, not
/// written. Logging never throws and never changes what is done.
package struct Log: Sendable {
  /// Takes one line, on the thread that logs; must not block for long.
  package typealias Sink = @Sendable (LogLevel, String, [Field]) -> Void

  /// A name in lower snake case, without the journal's `SHOPMETRICS_` prefix, and its value.
  package typealias Field = (name: String, value: String)

  private let threshold: Threshold
  private let sink: Sink
  private let repeated = RepeatedWarnings()

  /// Passes lines that are at least as urgent as `level` on to `sink`.
  package init(level: LogLevel, sink: @escaping Sink) {
    threshold = Threshold(level)
    self.sink = sink
  }

  /// Says nothing; for tests and for tools that print their own results.
  package static let silent = Log(level: .error) { _, _, _ in }

  /// From now on, for everybody who has this log, lines at least as urgent as `level`.
  package func setLevel(_ level: LogLevel) {
    threshold.level.store(level.rawValue, ordering: .relaxed)
  }

  private final class Threshold: Sendable {
    let level: Atomic<Int>

    init(_ level: LogLevel) { self.level = Atomic(level.rawValue) }
  }

  /// Builds the line only when somebody will see it.
  package func callAsFunction(
    _ level: LogLevel, _ message: @autoclosure () -> String, _ fields: [Field] = []
  ) {
    guard level.rawValue <= threshold.level.load(ordering: .relaxed) else { return }
    let text = message()
    guard level != .warning || repeated.isFirst(text, fields) else { return }
    sink(level, text, fields)
  }

  /// To be called at the end of a run: says how often its warnings came again, and forgets them.
  package func endRun() {
    for warning in repeated.take() { sink(.warning, warning.text, warning.fields) }
  }

  package func error(_ message: @autoclosure () -> String, _ fields: [Field] = []) {
    self(.error, message(), fields)
  }

  package func warning(_ message: @autoclosure () -> String, _ fields: [Field] = []) {
    self(.warning, message(), fields)
  }

  package func notice(_ message: @autoclosure () -> String, _ fields: [Field] = []) {
    self(.notice, message(), fields)
  }

  package func info(_ message: @autoclosure () -> String, _ fields: [Field] = []) {
    self(.info, message(), fields)
  }

  package func debug(_ message: @autoclosure () -> String, _ fields: [Field] = []) {
    self(.debug, message(), fields)
  }
}
