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
  private let due = Atomic<Int64>(MonotonicClock.milliseconds())

  package init() {}

  package func beat() { beat(nextWithin: .zero) }

  /// Takes a step that ends by itself after `limit`, such as a question to brokers.
  package func waiting<Value>(
    atMost limit: Duration, _ step: () throws -> Value
  ) rethrows -> Value {
    beat(nextWithin: limit)
    defer { beat() }
    return try step()
  }

  private func beat(nextWithin limit: Duration) {
    let now = MonotonicClock.milliseconds()
    last.store(now, ordering: .releasing)
    due.store(now + limit.wholeMilliseconds, ordering: .releasing)
  }

  /// Milliseconds since the last step.
  package var age: Int64 {
    MonotonicClock.milliseconds() - last.load(ordering: .acquiring)
  }

  /// Milliseconds for which the next step has been due, which a healthy thread takes at once.
  package var delay: Int64 {
    MonotonicClock.milliseconds() - due.load(ordering: .acquiring)
  }
}
