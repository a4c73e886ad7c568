import CLinux
internal import DurableIO
import Glibc
internal import Kafka
import Synchronization

/// The daemon's end of the control socket.
///
/// A client has a thread of its own for as long as its one question takes, so that none waits for
/// another's; how many there are, how long they may take and how much they may send is bounded.
package final class ControlServer: Sendable {
  /// Answers one request; may wait for the brokers, never for a run.
  package typealias Handler =
    @Sendable (ControlRequest, _ user: UInt32) throws(PipelineError) -> ControlAnswer

  private let socket: ControlSocket
  private let handler: Handler
  private let clients = Mutex(0)

  private static let mostClients = 16
  private static let patienceMs: Int64 = 5000

  /// Opens the socket, for its owner and its group, and answers from then on.
  ///
  /// A socket that nobody listens on any more is replaced; anything else at the path stays.
  /// - Throws: `CONTROL_SOCKET`.
  package static func open(
    path: String, _ handler: @escaping Handler
  ) throws(PipelineError) -> ControlServer {
    do {
      try makeRoom(at: path)
      let socket = try ControlSocket(path: path)
      try listen(on: socket)
      let server = ControlServer(socket, handler)
      _ = try BackgroundThread(name: "control") { server.acceptClients() }
      return server
    } catch let error as PipelineError {
      throw error
    } catch {
      throw refusal("\(error)", path)
    }
  }

  private init(_ socket: ControlSocket, _ handler: @escaping Handler) {
    self.socket = socket
    self.handler = handler
  }

  /// Nobody can connect any more.
  package func close() { try? Files.remove(socket.path) }

  private static func makeRoom(at path: String) throws {
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try Files.makeDirectories(String(path[..<slash]))
    }
    var found = stat()
    guard lstat(path, &found) == 0 else { return }
    guard found.st_mode & S_IFMT == S_IFSOCK else {
      throw refusal("\(path) exists and is no socket", path)
    }
    let probe = try ControlSocket(path: path)
    defer { probe.close() }
    do throws(SystemError) {
      try probe.connect()
    } catch {
      if error.errno == ECONNREFUSED { return try Files.remove(path) }
      if error.errno != EAGAIN { throw error }
    }
    throw refusal("another program listens at \(path)", path)
  }

  private static func listen(on socket: ControlSocket) throws(SystemError) {
    // The umask of the unit would take the group's right to connect: the mode is set behind it.
    fchmod(socket.descriptor, 0o600)
    do throws(SystemError) {
      try socket.bind()
      guard chmod(socket.path, 0o660) == 0 else { throw socket.failure("chmod") }
      guard Glibc.listen(socket.descriptor, 128) == 0 else { throw socket.failure("listen") }
    } catch {
      socket.close()
      throw error
    }
  }

  private static func refusal(_ message: String, _ path: String) -> PipelineError {
    PipelineError(
      "CONTROL_SOCKET", .configuration, "the control socket cannot be opened: \(message)",
      effect: "runs go on by the schedule, but `shopmetricsctl` cannot reach this daemon",
      remedy: "remove what is in the way, or set control.socket to another path; then `systemctl "
        + "restart shopmetricsd`")
  }

  // MARK: Clients

  private func acceptClients() {
    while true {
      var entry = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, -1) > 0 else { continue }
      let descriptor = clinux_accept(socket.descriptor)
      guard descriptor >= 0 else {
        // Out of descriptors: the client stays in the queue meanwhile.
        if errno == EMFILE || errno == ENFILE { usleep(100_000) }
        continue
      }
      begin(ControlSocket(descriptor: descriptor, path: socket.path))
    }
  }

  private func begin(_ client: ControlSocket) {
    let isWelcome = clients.withLock { count in
      guard count < Self.mostClients else { return false }
      count += 1
      return true
    }
    guard isWelcome else { return client.close() }
    let thread = try? BackgroundThread(name: "client") {
      self.serve(client)
      self.clients.withLock { $0 -= 1 }
    }
    guard thread == nil else { return }
    client.close()
    clients.withLock { $0 -= 1 }
  }

  private func serve(_ client: ControlSocket) {
    defer { client.close() }
    do {
      let line = try client.readLine(
        limit: ControlRequest.longest, deadline: MonotonicClock.milliseconds() + Self.patienceMs)
      try client.write(
        answer(to: line, of: client).line,
        deadline: MonotonicClock.milliseconds() + Self.patienceMs)
    } catch {
      // Somebody who does not talk, or does not listen, is told nothing.
    }
  }

  private func answer(to line: [UInt8], of client: ControlSocket) -> ControlAnswer {
    do throws(PipelineError) {
      let request = try ControlRequest(line: line)
      return try handler(request, try user(of: client, request))
    } catch {
      return .error(error)
    }
  }

  private func user(
    of client: ControlSocket, _ request: ControlRequest
  ) throws(PipelineError) -> UInt32 {
    var user = UInt32.max
    guard clinux_peer_user(client.descriptor, &user) == 0 else {
      throw .system(client.failure("getsockopt"))
    }
    if request.isMutating, user != 0, user != geteuid() {
      throw PipelineError(
        "CONTROL_FORBIDDEN", .configuration,
        "user \(user) may not \(request.rawValue): only root and the daemon's own user may",
        effect: "nothing is done", remedy: "`sudo shopmetricsctl \(request.rawValue)`")
    }
    return user
  }
}
