internal import Argp
internal import Clickstream

/// The records that are not events.
extension OperatorCommand {
  static let deadLetters = Group(
    commands: [
      CommandRow("dead-letters list", "The newest records that are not events, and why"),
      CommandRow(
        "dead-letters retry",
        "Decode dead letters again after limits or columns were corrected, daemon stopped"),
    ],
    withJSON: ["dead-letters list"],
    withYes: ["dead-letters retry"],
    options: [
      OptionRow(
        "reason", .required("REASON"), "Only letters with this failure_reason",
        of: ["dead-letters list", "dead-letters retry"],
        choices: DeadLetterReason.allCases.map(\.rawValue)),
      OptionRow(
        "all", .none, "Letters of every reason but data_loss", of: ["dead-letters retry"]),
      OptionRow(
        "last", .required("N"), "At most so many, the newest first (default 20)",
        of: ["dead-letters list"]),
    ],
    examples: [
      ("shopmetricsctl dead-letters list --reason wrong_type --last 5", "What a producer sends"),
      (
        "shopmetricsctl dead-letters retry --reason too_large --yes",
        "After limits.max_value was raised"
      ),
    ],
    read: { (parsed) throws(UsageError) -> OperatorCommand? in
      switch parsed.command {
      case "dead-letters list":
        .listDeadLetters(
          configuration: parsed.configuration, json: parsed.has("json"),
          reason: try reason(parsed), count: try parsed.integer("last", in: 1...100_000) ?? 20)
      case "dead-letters retry":
        .retryDeadLetters(
          configuration: parsed.configuration, try selection(parsed),
          isConfirmed: parsed.has("yes"))
      default: nil
      }
    })

  private static func reason(_ parsed: ParsedArguments) throws(UsageError) -> DeadLetterReason? {
    guard let text = parsed.value(of: "reason") else { return nil }
    guard let reason = DeadLetterReason(rawValue: text) else {
      let known = DeadLetterReason.allCases.map(\.rawValue).joined(separator: ", ")
      throw UsageError("--reason is '\(text)'; expected one of \(known)")
    }
    return reason
  }

  private static func selection(_ parsed: ParsedArguments) throws(UsageError) -> LetterSelection {
    let reason = try reason(parsed)
    guard (reason == nil) == parsed.has("all") else {
      throw UsageError("dead-letters retry wants either --reason REASON or --all")
    }
    guard let reason else { return .all }
    guard let selection = LetterSelection(reason) else {
      throw UsageError(
        "letters of data_loss stand for offsets that nobody has read; there is nothing to decode")
    }
    return selection
  }
}
