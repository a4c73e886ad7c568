internal import DurableIO
import Glibc

/// The operator's end of the control socket.
package enum ControlClient {
  private static let longestAnswer = 16 << 20

  /// Asks the daemon that listens at `path`.
  ///
  /// - Parameter patience: for the whole answer.
  /// - Returns: the answer, never an error; `nil` when nobody listens.
  /// - Throws: `PipelineError`: what the daemon answered, or why there was no answer.
  package static func ask(
    path: String, _ request: ControlRequest, patience: Duration = .seconds(10)
  ) throws(PipelineError) -> ControlAnswer? {
    let deadline = MonotonicClock.milliseconds() + patience.wholeMilliseconds
    do {
      guard let socket = try connect(path) else { return nil }
      defer { socket.close() }
      try socket.write(request.line, deadline: deadline)
      let line = try socket.readLine(limit: longestAnswer, deadline: deadline)
      return try read(line, path)
    } catch let error as PipelineError {
      throw error
    } catch {
      throw noAnswer("\(error)")
    }
  }

  private static func connect(_ path: String) throws(SystemError) -> ControlSocket? {
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

  private static func read(_ line: [UInt8], _ path: String) throws -> ControlAnswer {
    guard let answer = ControlAnswer(line: line) else {
      throw noAnswer("what came from \(path) is no answer (\(line.count) bytes)")
    }
    if case .error(let error) = answer { throw error }
    return answer
  }

  private static func noAnswer(_ message: String) -> PipelineError {
    PipelineError(
      "CONTROL_NO_ANSWER", .unavailable, message, effect: "nothing was done",
      remedy: "see `systemctl status shopmetricsd`; asking needs root or the group shopmetrics")
  }
}
