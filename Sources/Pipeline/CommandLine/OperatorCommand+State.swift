internal import Argp

/// The tables: whether they are sound, and Silver anew.
extension OperatorCommand {
  static let state = Group(
    commands: [
      CommandRow("verify", "Check all tables and checkpoints from the files alone"),
      CommandRow("silver rebuild", "Make Silver anew from Bronze, with the daemon stopped"),
    ],
    withJSON: ["verify"],
    withYes: ["silver rebuild"],
    options: [
      OptionRow("deep", .none, "Also compute Silver from Bronze again", of: ["verify"])
    ],
    examples: [
      ("shopmetricsctl verify && echo sound", "The exit status says the result"),
      ("shopmetricsctl silver rebuild --yes", "After a change of silver.session_gap"),
    ],
    read: { (parsed) throws(UsageError) -> OperatorCommand? in
      switch parsed.command {
      case "verify":
        .verify(
          configuration: parsed.configuration, json: parsed.has("json"),
          isDeep: parsed.has("deep"))
      case "silver rebuild":
        .rebuildSilver(configuration: parsed.configuration, isConfirmed: parsed.has("yes"))
      default: nil
      }
    })
}
