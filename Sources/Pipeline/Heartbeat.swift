import Glibc
import Synchronization

/// Seconds and milliseconds of the monotonic clock; never the time of day.
package enum MonotonicClock {
  /// Milliseconds since an arbitrary start; does not jump when the time of day is set.
  package static func milliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}

/// Milliseconds of the time of day, read only where a batch is planned.
package func wallClockMilliseconds() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// A request to stop, set by a signal and read between polls and between phases.
package final class StopRequest: Sendable {
  private let requested = Atomic<Bool>(false)

  package init() {}

  package var isSet: Bool { requested.load(ordering: .acquiring) }

  package func set() { requested.store(true, ordering: .releasing) }
}

/// The run thread's sign of life, which feeds the service manager's watchdog.
///
/// The thread beats at each step it really takes; nobody beats for it. A thread that hangs in a
/// system call stops beating, and the watchdog notices.
package final class Heartbeat: Sendable {
  private let last = Atomic<Int64>(MonotonicClock.milliseconds())

  package init() {}

  package func beat() { last.store(MonotonicClock.milliseconds(), ordering: .releasing) }

  /// Milliseconds since the last step.
  package var age: Int64 {
    MonotonicClock.milliseconds() - last.load(ordering: .acquiring)
  }
}
