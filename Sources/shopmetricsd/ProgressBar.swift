import Glibc
import Pipeline
import Synchronization

/// One line on a terminal that says how far a foreground run is.
final class ProgressBar: Sendable {
  private let lastDrawn = Atomic<Int64>(0)
  private let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ progress: RunProgress) {
    let now = MonotonicClock.milliseconds()
    guard isTerminal, let bar = progress.bar,
      now - lastDrawn.load(ordering: .relaxed) >= 100
    else { return }
    lastDrawn.store(now, ordering: .relaxed)
    write("\r\(progress.amount) \(bar) ")
  }

  /// Makes room for the next line of text.
  func clear() {
    if isTerminal, lastDrawn.load(ordering: .relaxed) > 0 { write("\r\u{1B}[K") }
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
