import CSystemd
import Glibc
import Synchronization

/// Where log lines go: the journal with fields, or standard error as text.
///
/// Writing never throws and never waits: a line for which journald or the pipe has no room is
/// lost, because a frozen reader of logs must not stop the data. The journal's next entry then
/// says in `SHOPMETRICS_LOST_LINES` how many there were. Safe from any thread.
package struct Journal: Sendable {
  /// How lines reach their reader.
  package enum Destination: Equatable, Sendable {
    /// journald's own socket, with fields.
    case native
    /// Standard error, `HH:MM:SS` before the text: for people at a terminal.
    case timestamped
    /// Standard error, `<N>` before the text: for whoever reads priorities from a pipe
    /// (sd-daemon(3)).
    case prefixed
  }

  package let destination: Destination
  private let identifier: String
  private let descriptor: Int32
  private let socket: JournalSocket?

  /// `identifier` is the name of the program, as `journalctl -t` finds it.
  package init(
    identifier: String, destination: Destination = Journal.detectedDestination(),
    standardError descriptor: Int32 = STDERR_FILENO
  ) {
    self.identifier = identifier
    self.destination = destination
    self.descriptor = descriptor
    socket = destination == .native ? JournalSocket() : nil
  }

  /// The journal when standard error is connected to it, as `$JOURNAL_STREAM` says.
  ///
  /// The variable is inherited by children whose standard error was redirected since, so device
  /// and inode are compared (systemd.exec(5)).
  package static func detectedDestination(
    journalStream: String? = getenv("JOURNAL_STREAM").map { String(cString: $0) },
    descriptor: Int32 = STDERR_FILENO
  ) -> Destination {
    guard let parts = journalStream?.split(separator: ":"), parts.count == 2,
      let device = UInt64(parts[0]), let inode = UInt64(parts[1])
    else { return .timestamped }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return .timestamped }
    let isJournal = UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    return isJournal ? .native : .timestamped
  }

  /// Writes one line; `priority` is that of syslog(3), 0 to 7.
  ///
  /// `messageID`, 32 hexadecimal digits, says what kind of line it is: the journal's catalog
  /// explains it. Field names are lower snake case and become `SHOPMETRICS_…`. Control characters
  /// in the message are escaped; fields are kept as they are, the journal stores them by length.
  package func write(
    priority: Int, _ message: String, messageID: String? = nil,
    fields: [(name: String, value: String)] = []
  ) {
    let text = PrintableText.escaping(message, limit: 4096)
    if let socket {
      guard let lost = socket.lostLinesIfReady() else { return }
      let loss = lost == 0 ? [] : [(name: "lost_lines", value: String(lost))]
      sendNative(entries(priority, text, messageID: messageID, fields + loss))
    } else {
      writeText(priority, text)
    }
  }

  /// One `NAME=value` for each field, the form of sd_journal_sendv(3).
  func entries(
    _ priority: Int, _ message: String, messageID: String? = nil,
    _ fields: [(name: String, value: String)]
  ) -> [[UInt8]] {
    let own =
      [
        "MESSAGE=\(message)", "PRIORITY=\(priority)", "SYSLOG_IDENTIFIER=\(identifier)",
      ] + (messageID.map { ["MESSAGE_ID=\($0)"] } ?? [])
    let extra = fields.map { "SHOPMETRICS_\(Self.fieldName($0.name))=\($0.value)" }
    return (own + extra).map { Array($0.utf8) }
  }

  private func sendNative(_ entries: [[UInt8]]) {
    withVectors(entries[...], []) { vectors in
      _ = sd_journal_sendv(vectors.baseAddress, Int32(vectors.count))
    }
  }

  /// The journal takes only capital letters, digits and underscores.
  static func fieldName(_ name: String) -> String {
    String(
      decoding: name.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        default: UInt8(ascii: "_")
        }
      }, as: UTF8.self)
  }

  /// Lends all entries at once: nested closures keep every buffer valid until the call returns.
  private func withVectors(
    _ rest: ArraySlice<[UInt8]>, _ vectors: [iovec],
    _ body: (UnsafeBufferPointer<iovec>) -> Void
  ) {
    guard let first = rest.first else { return vectors.withUnsafeBufferPointer(body) }
    first.withUnsafeBytes { bytes in
      let vector = iovec(
        iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
      withVectors(rest.dropFirst(), vectors + [vector], body)
    }
  }

  private func writeText(_ priority: Int, _ message: String) {
    let now = Int64(time(nil)) * 1000
    let prefix =
      destination == .timestamped ? ClockText.timeOfDay(now) + " " : "<\(priority)>"
    var rest = Array("\(prefix)\(message)\n".utf8)[...]
    // A pipe that is ready has room for at least PIPE_BUF (4096) bytes (pipe(7)).
    while !rest.isEmpty, Self.isWritable(descriptor) {
      let count = rest.prefix(4096).withUnsafeBytes { part in
        Glibc.write(descriptor, part.baseAddress, part.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  static func isWritable(_ descriptor: Int32) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return poll(&request, 1, 0) == 1 && request.revents & Int16(POLLOUT) != 0
  }

}

/// A connection to journald that sends nothing: it tells whether a message would have to wait.
///
/// sd_journal_sendv(3) blocks while journald's queue is full, which lasts for as long as journald
/// is stopped. The kernel says so for a connected datagram socket (poll(2)). Never closed: logging
/// ends with the process.
private final class JournalSocket: Sendable {
  private static let path = "/run/systemd/journal/socket"
  private let descriptor: Int32
  private let lostLines = Atomic<Int>(0)

  /// `nil` without journald.
  init?() {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Self.path.utf8) }
    let result = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else {
      close(descriptor)
      return nil
    }
  }

  /// How many lines were lost since the last one that was sent; `nil` when this one is, too.
  func lostLinesIfReady() -> Int? {
    guard Journal.isWritable(descriptor) else {
      lostLines.add(1, ordering: .relaxed)
      return nil
    }
    return lostLines.exchange(0, ordering: .relaxed)
  }
}
