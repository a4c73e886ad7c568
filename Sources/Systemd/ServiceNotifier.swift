import CSystemd
import Glibc

/// Tells systemd how the service is (sd_notify(3)); does nothing when started by hand.
///
/// Messages are datagrams to `$NOTIFY_SOCKET`. A lost one changes what `systemctl status` shows,
/// never what the service does, so failures are not reported. Safe from any thread.
package struct ServiceNotifier: Sendable {
  package init() {}

  /// Start-up is complete: dependent units start, and `systemctl start` returns.
  package func ready(status: String) { send("READY=1\nSTATUS=\(Self.oneLine(status))") }

  /// The text that `systemctl status` shows.
  package func status(_ text: String) { send("STATUS=\(Self.oneLine(text))") }

  /// The configuration is being read again; `ready` ends it.
  ///
  /// To be sent before anything slow: `systemctl reload` waits from here on.
  package func reloading() {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    let microseconds = Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1000
    send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
  }

  /// The service has begun to end.
  package func stopping(status: String) { send("STOPPING=1\nSTATUS=\(Self.oneLine(status))") }

  /// A commit is being made durable; the stop may take `duration` longer, counted from now.
  package func extendTimeout(by duration: Duration) {
    let parts = duration.components
    send("EXTEND_TIMEOUT_USEC=\(parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000)")
  }

  /// The service made progress; to be sent from the place that makes it, not from a timer.
  package func keepAlive() { send("WATCHDOG=1") }

  /// After how long without `keepAlive` systemd kills the service; `nil` without `WatchdogSec=`.
  package var watchdogTimeout: Duration? {
    var microseconds: UInt64 = 0
    guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds <= UInt64(Int64.max) else {
      return nil
    }
    return .microseconds(Int64(microseconds))
  }

  private func send(_ message: String) { sd_notify(0, message) }

  /// A status from outside cannot add a line, and with it a message of its own.
  static func oneLine(_ text: String) -> String { PrintableText.escaping(text, limit: 512) }
}
