import Glibc
import Synchronization

/// Where the daemon's threads meet: what its runs do, and what its operators want of them.
///
/// The run thread says what happens; clients of the control socket read that and leave orders,
/// which the run thread takes between runs. Nothing here waits or touches a file, so it answers
/// while a run hangs. Safe from any thread.
package final class ServiceState: Sendable {
  private struct Facts {
    var snapshot: ServiceSnapshot
    var startedRuns: Int64 = 0
    var isRunRequested = false
    /// The schedule's next start, on the monotonic clock: a clock that is set moves the time of
    /// day that is shown, not the run.
    var nextRun: Int64?
  }

  private let facts: Mutex<Facts>
  private let heartbeat: Heartbeat

  package init(heartbeat: Heartbeat) {
    self.heartbeat = heartbeat
    facts = Mutex(
      Facts(
        snapshot: ServiceSnapshot(
          pid: getpid(), version: ProgramVersion.number, startedMs: wallClockMilliseconds())))
  }

  package var snapshot: ServiceSnapshot {
    facts.withLock { facts in
      var snapshot = facts.snapshot
      snapshot.nowMs = wallClockMilliseconds()
      if snapshot.isBusy { snapshot.silentMs = heartbeat.age }
      if !snapshot.isPaused, let next = facts.nextRun {
        snapshot.nextRunMs = snapshot.nowMs + max(0, next - MonotonicClock.milliseconds())
      }
      return snapshot
    }
  }

  // MARK: What happens

  /// Checkpoints and tables are read and repaired.
  package func noteReady() { facts.withLock { $0.snapshot.isReady = true } }

  /// - Returns: false when that was said before.
  @discardableResult
  package func noteStopping() -> Bool {
    facts.withLock { facts in
      defer { facts.snapshot.isStopping = true }
      return !facts.snapshot.isStopping
    }
  }

  /// The file was read again: whether it was taken over, or the settings in force differ from it.
  package func noteReload(isRefused: Bool) {
    facts.withLock { $0.snapshot.refusedReloadMs = isRefused ? wallClockMilliseconds() : nil }
  }

  /// The schedule's next start, in a pause as well.
  ///
  /// - Parameter wait: milliseconds from now; `nil` when the schedule names none any more.
  package func noteNextRun(in wait: Int64?) {
    facts.withLock { $0.nextRun = wait.map { MonotonicClock.milliseconds() + $0 } }
  }

  /// A run begins, and with it every request for one is met.
  /// - Returns: its number.
  package func beginRun() -> Int64 {
    facts.withLock { facts in
      facts.startedRuns += 1
      facts.isRunRequested = false
      facts.nextRun = nil
      facts.snapshot.current = .init(
        number: facts.startedRuns, startedMs: wallClockMilliseconds())
      return facts.startedRuns
    }
  }

  package func note(_ progress: RunProgress) {
    facts.withLock { $0.snapshot.current?.progress = progress }
  }

  /// The ends that the run has fixed, for each partition.
  package func notePlannedEnds(_ ends: [Int32: Int64]) {
    facts.withLock { $0.snapshot.plannedEnds = ends }
  }

  /// - Parameter wait: as in `noteNextRun`.
  /// - Returns: how many runs in a row have failed now, and how many had before this one.
  package func endRun(
    _ record: RunRecord, nextRunIn wait: Int64?
  ) -> (failures: Int64, before: Int64) {
    facts.withLock { facts in
      facts.nextRun = wait.map { MonotonicClock.milliseconds() + $0 }
      let before = facts.snapshot.consecutiveFailures
      facts.snapshot.note(record)
      return (facts.snapshot.consecutiveFailures, before)
    }
  }

  // MARK: What operators want

  /// - Returns: false when it was so before.
  package func setPaused(_ isPaused: Bool) -> Bool {
    facts.withLock { facts in
      defer { facts.snapshot.isPaused = isPaused }
      return facts.snapshot.isPaused != isPaused
    }
  }

  /// One run is to start as soon as none is under way, whatever the schedule says.
  ///
  /// A run under way does not count: its end was fixed before.
  /// - Returns: the number that it will have.
  package func requestRun() -> Int64 {
    facts.withLock { facts in
      facts.isRunRequested = true
      return facts.startedRuns + 1
    }
  }

  package var isRunRequested: Bool { facts.withLock { $0.isRunRequested } }
  package var isPaused: Bool { facts.withLock { $0.snapshot.isPaused } }
}
