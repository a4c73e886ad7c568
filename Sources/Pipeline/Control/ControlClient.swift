internal import DurableIO
import Glibc

/// The operator's end of the control socket.
///
/// Each question returns `nil` when nobody listens, and throws what the daemon answered instead,
/// or why there was no answer.
package struct ControlClient: Sendable {
  package let path: String

  private static let longestAnswer = 16 << 20

  package init(path: String) { self.path = path }

  package func status() throws(PipelineError) -> ServiceSnapshot? {
    try ask(.status) { if case .status(let snapshot) = $0 { snapshot } else { nil } }
  }

  /// The daemon asks the brokers for it, which may take half a minute.
  package func lag() throws(PipelineError) -> LagReport? {
    try ask(.lag, patience: 60_000) { if case .lag(let report) = $0 { report } else { nil } }
  }

  /// - Returns: the number of the run that was asked for.
  package func run() throws(PipelineError) -> Int64? {
    try ask(.run) { if case .run(let number) = $0 { number } else { nil } }
  }

  package func setPaused(_ isPaused: Bool) throws(PipelineError) -> ServiceSnapshot? {
    try ask(isPaused ? .pause : .resume) {
      if case .status(let snapshot) = $0 { snapshot } else { nil }
    }
  }

  /// - Parameters:
  ///   - patience: milliseconds for the whole answer.
  ///   - value: what the request is answered with; `nil` for anything else.
  private func ask<Value>(
    _ request: ControlRequest, patience: Int64 = 10_000, _ value: (ControlAnswer) -> Value?
  ) throws(PipelineError) -> Value? {
    let line: [UInt8]
    do throws(SystemError) {
      guard let socket = try connect() else { return nil }
      defer { socket.close() }
      let deadline = MonotonicClock.milliseconds() + patience
      try socket.write(request.line, deadline: deadline)
      line = try socket.readLine(limit: Self.longestAnswer, deadline: deadline)
    } catch {
      throw noAnswer("\(error)")
    }
    let answer = ControlAnswer(line: line)
    if case .error(let error) = answer { throw error }
    guard let found = answer.flatMap(value) else {
      throw noAnswer("what came from \(path) is no answer to \(request) (\(line.count) bytes)")
    }
    return found
  }

  private func connect() throws(SystemError) -> ControlSocket? {
    let socket = try ControlSocket(path: path)
    do {
      try socket.connect()
      return socket
    } catch {
      socket.close()
      if error.errno == ENOENT || error.errno == ECONNREFUSED { return nil }
      throw error
    }
  }

  private func noAnswer(_ message: String) -> PipelineError {
    PipelineError(
      "CONTROL_NO_ANSWER", .unavailable, message, effect: "nothing was done",
      remedy: "see `systemctl status shopmetricsd`; asking needs root or the group shopmetrics")
  }
}
