import Glibc
import Pipeline
import Synchronization

/// One line on a terminal that says how far a foreground run is.
final class ProgressBar: Sendable {
  private let lastDrawn = Atomic<Int64>(0)
  private let isTerminal = isatty(STDERR_FILENO) == 1

  func show(_ progress: RunProgress) {
    let now = MonotonicClock.milliseconds()
    guard isTerminal, progress.total > 0,
      now - lastDrawn.load(ordering: .relaxed) >= 100
    else { return }
    lastDrawn.store(now, ordering: .relaxed)
    let width = 24
    let filled = Int(Int64(width) * min(progress.done, progress.total) / progress.total)
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
    write(
      "\r\(RunReport.grouped(progress.done)) of \(RunReport.grouped(progress.total)) [\(bar)] ")
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
