import Kafka
import Pipeline
import Synchronization

/// What the daemon answers on its control socket, on a client's thread.
final class ControlAnswers: Sendable {
  private let service: Service
  /// One client at a time asks the brokers: when that last began, and what came of it.
  private let lastLag = Mutex<(began: Int64, result: Result<LagReport, PipelineError>)?>(nil)

  init(service: Service) { self.service = service }

  func answer(_ request: ControlRequest, user: UInt32) throws(PipelineError) -> ControlAnswer {
    let state = service.state
    switch request {
    case .status:
      return .status(state.snapshot)
    case .lag:
      return try lag()
    case .run:
      try refuseWhileStopping()
      let number = state.requestRun()
      service.orders.signal()
      service.log.notice("run \(number) was asked for by user \(user)")
      return .run(number)
    case .pause, .resume:
      try refuseWhileStopping()
      if state.setPaused(request == .pause) { note(request, user) }
      service.orders.signal()
      service.news.signal()
      return .status(state.snapshot)
    }
  }

  private func note(_ request: ControlRequest, _ user: UInt32) {
    if request == .pause {
      service.log.notice(
        "paused by user \(user): no run starts by the schedule until `shopmetricsctl resume` or a "
          + "restart", [("code", "PAUSED")])
    } else {
      service.log.notice("resumed by user \(user)", [("code", "RESUMED")])
    }
  }

  private func refuseWhileStopping() throws(PipelineError) {
    guard service.stop.isSet else { return }
    throw PipelineError(
      "CONTROL_STOPPING", .unavailable, "the daemon is stopping", effect: "nothing is done",
      remedy: "`systemctl start shopmetricsd`, then ask again")
  }

  private func lag() throws(PipelineError) -> ControlAnswer {
    let arrival = MonotonicClock.milliseconds()
    let result = lastLag.withLock { last in
      // Clients who wait for the same brokers get one answer, or each would wait for all others.
      if let last, last.began >= arrival { return last.result }
      let began = MonotonicClock.milliseconds()
      let result = Result { () throws(PipelineError) in
        try LagReport.ask(service.configuration, log: service.log)
      }
      last = (began, result)
      return result
    }
    var answer = try result.get()
    answer.recordsPerSecond = service.state.snapshot.recordsPerSecond
    return .lag(answer)
  }
}
