internal import DurableIO
import Glibc

/// A stream socket of AF_UNIX at a path, and its calls with a limit of time (unix(7)).
struct ControlSocket {
  let descriptor: Int32
  let path: String

  /// A socket that is not connected yet.
  /// - Throws: `SystemError`; `ENAMETOOLONG` for a path of more than 107 bytes.
  init(path: String) throws(SystemError) {
    guard path.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path) else {
      throw SystemError(errno: ENAMETOOLONG, call: "socket", path: path)
    }
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
    guard descriptor >= 0 else { throw SystemError(errno: errno, call: "socket", path: path) }
    self.path = path
  }

  /// One that was accepted.
  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  func close() { _ = Glibc.close(descriptor) }

  func bind() throws(SystemError) {
    guard withAddress({ Glibc.bind(descriptor, $0, $1) }) == 0 else { throw failure("bind") }
  }

  /// Does not wait: a listener whose queue is full is `EAGAIN`.
  func connect() throws(SystemError) {
    guard withAddress({ Glibc.connect(descriptor, $0, $1) }) == 0 else { throw failure("connect") }
  }

  func failure(_ call: String) -> SystemError { SystemError(errno: errno, call: call, path: path) }

  private func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  // MARK: Lines

  /// Bytes up to the first line feed, or up to the other side's end.
  ///
  /// - Parameter deadline: on the monotonic clock, for the whole line: one that comes in drops
  ///   has no more time.
  /// - Throws: `ETIMEDOUT`, `EMSGSIZE` beyond `limit` bytes.
  func readLine(limit: Int, deadline: Int64) throws(SystemError) -> [UInt8] {
    var line: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while line.count < limit {
      try wait(for: POLLIN, "read", deadline)
      let count = read(descriptor, &chunk, min(chunk.count, limit - line.count))
      if count == 0 { return line }
      if count < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        throw failure("read")
      }
      if let end = chunk[..<count].firstIndex(of: UInt8(ascii: "\n")) {
        return line + chunk[..<end]
      }
      line += chunk[..<count]
    }
    throw SystemError(errno: EMSGSIZE, call: "read", path: path)
  }

  func write(_ text: String, deadline: Int64) throws(SystemError) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      try wait(for: POLLOUT, "send", deadline)
      let count = rest.withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else { throw failure("send") }
      rest = rest.dropFirst(count)
    }
  }

  private func wait(for events: Int32, _ call: String, _ deadline: Int64) throws(SystemError) {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    while true {
      let left = deadline - MonotonicClock.milliseconds()
      guard left > 0 else { throw SystemError(errno: ETIMEDOUT, call: call, path: path) }
      let count = poll(&entry, 1, Int32(clamping: left))
      if count > 0 { return }
      if count < 0, errno != EINTR { throw failure("poll") }
    }
  }
}
