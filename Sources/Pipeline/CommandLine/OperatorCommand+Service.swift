internal import Argp

/// The running daemon: what it does, and when.
extension OperatorCommand {
  static let service = Group(
    commands: [CommandRow("status", "Where the stream is and what its last batch did")],
    withJSON: ["status"],
    examples: [("shopmetricsctl status --json", "For scripts")],
    read: { (parsed) throws(UsageError) -> OperatorCommand? in
      guard parsed.command == "status" else { return nil }
      return .status(configuration: parsed.configuration, json: parsed.has("json"))
    })
}
