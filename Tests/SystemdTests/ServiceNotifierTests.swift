import Glibc
import Testing

@testable import Systemd

/// A bound datagram socket in the place of systemd's; the environment is the process's, so the
/// tests of this suite take turns.
@Suite(.serialized) struct ServiceNotifierTests {
  private final class NotifySocket {
    let path: String
    private let descriptor: Int32

    init() throws {
      path = "/tmp/shopmetrics-notify-\(getpid())-\(UInt32.random(in: 0 ... .max))"
      descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let result = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
      try #require(result == 0)
      setenv("NOTIFY_SOCKET", path, 1)
    }

    deinit {
      unsetenv("NOTIFY_SOCKET")
      close(descriptor)
      unlink(path)
    }

    /// The next message, or an empty text when there is none: a datagram is there once it is sent.
    func next() -> String {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
      return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
  }

  @Test func `Readiness carries the status text`() throws {
    let socket = try NotifySocket()
    ServiceNotifier().ready(status: "idle; next run 11:55:00")
    #expect(socket.next() == "READY=1\nSTATUS=idle; next run 11:55:00")
  }

  @Test func `A status from outside cannot smuggle in a message`() throws {
    let socket = try NotifySocket()
    ServiceNotifier().status("topic x\nMAINPID=1\u{1B}[2J")
    #expect(socket.next() == "STATUS=topic x\\u{a}MAINPID=1\\u{1b}[2J")
  }

  @Test func `A reload names the clock that systemd compares with`() throws {
    let socket = try NotifySocket()
    ServiceNotifier().reloading()
    let lines = socket.next().split(separator: "\n")
    #expect(lines.first == "RELOADING=1")
    let microseconds = Int64(lines.last?.split(separator: "=").last ?? "")
    #expect(try #require(microseconds) > 0)
  }

  @Test func `Stopping, more time and progress are told in systemd's words`() throws {
    let socket = try NotifySocket()
    let notifier = ServiceNotifier()
    notifier.stopping(status: "finishing batch 12")
    notifier.extendTimeout(by: .milliseconds(1500))
    notifier.keepAlive()
    #expect(socket.next() == "STOPPING=1\nSTATUS=finishing batch 12")
    #expect(socket.next() == "EXTEND_TIMEOUT_USEC=1500000")
    #expect(socket.next() == "WATCHDOG=1")
  }

  @Test func `The watchdog's time is read only when it is meant for this process`() {
    setenv("WATCHDOG_USEC", "60000000", 1)
    setenv("WATCHDOG_PID", "\(getpid())", 1)
    defer {
      unsetenv("WATCHDOG_USEC")
      unsetenv("WATCHDOG_PID")
    }
    #expect(ServiceNotifier().watchdogTimeout == .seconds(60))
    setenv("WATCHDOG_PID", "1", 1)
    #expect(ServiceNotifier().watchdogTimeout == nil)
  }

  @Test func `Without systemd nothing is sent and nothing fails`() {
    unsetenv("NOTIFY_SOCKET")
    ServiceNotifier().ready(status: "by hand")
    #expect(ServiceNotifier().watchdogTimeout == nil)
  }
}
