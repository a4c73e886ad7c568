internal import JSON

/// What a running daemon can be asked, and told.
///
/// One line of JSON each way, then the connection ends: `{"command":"status"}`, and an object with
/// the answer or with `error`.
package enum ControlRequest: String, CaseIterable, Sendable {
  /// A `ServiceSnapshot`, under `status`.
  case status
  /// A `LagReport`, under `lag`; asks the brokers.
  case lag
  /// Starts a run at once; its number comes under `run`.
  case run
  /// No run starts by the schedule until `resume` or the end of the daemon.
  case pause
  case resume

  /// Whether only root and the daemon's own user may ask it.
  package var isMutating: Bool {
    switch self {
    case .status, .lag: false
    case .run, .pause, .resume: true
    }
  }

  /// No request is longer, its line feed included.
  static let longest = 4096

  /// Reads a line without its line feed.
  /// - Throws: `CONTROL_REQUEST`.
  init(line: [UInt8]) throws(PipelineError) {
    guard let object = (try? JSONValue.parse(line))?.objectValue,
      let request = object.string("command").flatMap(ControlRequest.init)
    else {
      let commands = Self.allCases.map(\.rawValue).joined(separator: ", ")
      throw PipelineError(
        "CONTROL_REQUEST", .configuration, "not a request to shopmetricsd",
        effect: "nothing is done",
        remedy: "send one line such as {\"command\":\"status\"}; commands are \(commands)")
    }
    self = request
  }

  var line: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("command", rawValue)
    writer.endObject()
    return writer.text + "\n"
  }
}

/// What comes back.
package enum ControlAnswer: Sendable {
  case status(ServiceSnapshot)
  case lag(LagReport)
  /// The number of the run that was asked for.
  case run(Int64)
  case error(PipelineError)

  var line: String {
    var writer = JSONWriter()
    writer.beginObject()
    switch self {
    case .status(let snapshot):
      writer.key("status")
      snapshot.write(to: &writer)
    case .lag(let report):
      writer.key("lag")
      report.write(to: &writer)
    case .run(let number):
      writer.field("run", number)
    case .error(let error):
      writer.key("error")
      error.write(to: &writer)
    }
    writer.endObject()
    return writer.text + "\n"
  }

  /// Reads a line without its line feed; `nil` for what is no answer.
  init?(line: [UInt8]) {
    guard let object = (try? JSONValue.parse(line))?.objectValue else { return nil }
    if let status = object.object("status").flatMap(ServiceSnapshot.init) {
      self = .status(status)
    } else if let lag = object.object("lag").flatMap(LagReport.init) {
      self = .lag(lag)
    } else if let number = object.int64("run") {
      self = .run(number)
    } else if let error = object.object("error").flatMap(PipelineError.init) {
      self = .error(error)
    } else {
      return nil
    }
  }
}
