internal import Argp

/// Where the streams go on, and the tables that they fill.
extension OperatorCommand {
  static let checkpoint = Group(
    commands: [
      CommandRow("checkpoint show", "The batches and offsets of both checkpoints"),
      CommandRow("checkpoint skip", "Pass over offsets that cannot be read"),
      CommandRow("checkpoint accept-loss", "Give up what the brokers no longer have"),
      CommandRow("checkpoint reset", "Let Bronze go on at other offsets"),
      CommandRow("checkpoint rebuild", "Make a lost checkpoint of Bronze from its tables"),
      CommandRow("tables", "Versions, rows and sizes of the tables, and how to query them"),
    ],
    withJSON: ["checkpoint show", "tables"],
    withYes: [
      "checkpoint skip", "checkpoint accept-loss", "checkpoint reset", "checkpoint rebuild",
    ],
    options: [
      OptionRow(
        "partition", .required("N"), "Which partition of the topic",
        of: ["checkpoint skip", "checkpoint accept-loss"]),
      OptionRow(
        "from", .required("OFFSET"), "First offset to pass over (default: where the stream is)",
        of: ["checkpoint skip"]),
      OptionRow(
        "to", .required("WHERE"),
        "The offset to go on with; for reset also \"earliest\", \"latest\", a time such as "
          + "2026-01-31T00:00:00Z, or JSON such as {\"clickstream-events\":{\"0\":12,\"1\":-2}}",
        of: ["checkpoint skip", "checkpoint reset"]),
      OptionRow(
        "new-tables", .required("DIR"),
        "Begin there with empty tables; those of now stay as they are",
        of: ["checkpoint reset"]),
    ],
    examples: [
      ("shopmetricsctl checkpoint show", "The offsets of the last batches"),
      (
        "shopmetricsctl checkpoint accept-loss", "What would be given up; --yes gives it up"
      ),
      (
        "shopmetricsctl checkpoint skip --partition 3 --from 88120 --to 88121 --yes",
        "Go on behind a record that cannot be read"
      ),
      (
        "shopmetricsctl checkpoint reset --to earliest --new-tables /srv/again --yes",
        "Read everything again, into new tables"
      ),
      ("shopmetricsctl tables", "What is there to query"),
    ],
    read: { (parsed) throws(UsageError) -> OperatorCommand? in
      let configuration = parsed.configuration
      let isConfirmed = parsed.has("yes")
      switch parsed.command {
      case "checkpoint show":
        return .showCheckpoint(configuration: configuration, json: parsed.has("json"))
      case "checkpoint skip":
        return .moveStream(
          configuration: configuration, try skip(parsed), isConfirmed: isConfirmed)
      case "checkpoint accept-loss":
        return .moveStream(
          configuration: configuration,
          .acceptLoss(partition: try parsed.integer("partition", in: 0...Int32.max)),
          isConfirmed: isConfirmed)
      case "checkpoint reset": return try reset(parsed)
      case "checkpoint rebuild":
        return .rebuildCheckpoint(configuration: configuration, isConfirmed: isConfirmed)
      case "tables": return .tables(configuration: configuration, json: parsed.has("json"))
      default: return nil
      }
    })

  private static func skip(_ parsed: ParsedArguments) throws(UsageError) -> StreamOrder {
    guard let partition = try parsed.integer("partition", in: 0...Int32.max),
      let end = try parsed.integer("to", in: 1...Int64.max)
    else {
      throw UsageError("checkpoint skip wants --partition N and --to OFFSET")
    }
    return .skip(
      partition: partition, from: try parsed.integer("from", in: 0...Int64.max), to: end)
  }

  private static func reset(_ parsed: ParsedArguments) throws(UsageError) -> OperatorCommand {
    guard let text = parsed.value(of: "to") else {
      throw UsageError("checkpoint reset wants --to WHERE")
    }
    guard let goal = ResetGoal(text) else {
      throw UsageError("--to is '\(text)'; expected \(StartingOffsetsForm.expectation)")
    }
    let (configuration, isConfirmed) = (parsed.configuration, parsed.has("yes"))
    guard let directory = parsed.value(of: "new-tables") else {
      return .moveStream(
        configuration: configuration, .reset(goal), isConfirmed: isConfirmed)
    }
    guard directory.first == "/" else {
      throw UsageError("--new-tables is '\(directory)'; expected an absolute path")
    }
    return .beginElsewhere(
      configuration: configuration, directory: directory, goal, isConfirmed: isConfirmed)
  }
}
