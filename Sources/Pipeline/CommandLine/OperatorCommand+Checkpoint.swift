internal import Argp

/// Where the streams go on.
extension OperatorCommand {
  static let checkpoint = Group(
    commands: [CommandRow("checkpoint show", "The batches and offsets of both checkpoints")],
    withJSON: ["checkpoint show"],
    examples: [("shopmetricsctl checkpoint show", "The offsets of the last batches")],
    read: { (parsed) throws(UsageError) -> OperatorCommand? in
      guard parsed.command == "checkpoint show" else { return nil }
      return .showCheckpoint(configuration: parsed.configuration, json: parsed.has("json"))
    })
}
