package import Argp
package import Clickstream

/// What `shopmetricsctl` is asked to do.
package enum OperatorCommand: Equatable, Sendable {
  case status(configuration: String, json: Bool, watches: Bool)
  case lag(configuration: String, json: Bool)
  case runs(configuration: String, json: Bool)
  case run(configuration: String, waits: Bool)
  case pause(configuration: String)
  case resume(configuration: String)
  case showCheckpoint(configuration: String, json: Bool)
  case moveStream(configuration: String, StreamOrder, isConfirmed: Bool)
  case beginElsewhere(
    configuration: String, directory: String, ResetGoal, isConfirmed: Bool)
  case rebuildCheckpoint(configuration: String, isConfirmed: Bool)
  case tables(configuration: String, json: Bool)
  case verify(configuration: String, json: Bool, isDeep: Bool)
  case rebuildSilver(configuration: String, isConfirmed: Bool)
  case listDeadLetters(
    configuration: String, json: Bool, reason: DeadLetterReason?, count: Int)
  case retryDeadLetters(configuration: String, LetterSelection, isConfirmed: Bool)
  case produce(ProduceOptions)

  /// In the order of the help.
  private static let groups: [Group] = [
    service, checkpoint, state, deadLetters, production,
  ]

  package static let table = ProgramTable(
    name: "shopmetricsctl",
    summary: "Look after shopmetricsd: its state, its tables, and test events for it.",
    commands: groups.flatMap(\.commands),
    options: [
      OptionRow(
        "config", .required("FILE"), "Configuration (default \(ConfigurationFile.defaultPath))"),
      OptionRow(
        "json", .none, "Print one JSON document instead of text", of: groups.flatMap(\.withJSON)),
      OptionRow(
        "yes", .none, "Do it; without this only say what would be done",
        of: groups.flatMap(\.withYes)),
    ] + groups.flatMap(\.options),
    examples: groups.flatMap(\.examples))

  /// Checks a command line, the program's name first.
  ///
  /// Mistakes are explained on standard error.
  package static func parse(
    _ arguments: [String], version: String
  ) -> CommandLineOutcome<OperatorCommand> {
    let parser = ArgumentParser(table)
    switch parser.parse(arguments, version: version) {
    case .print(let text): return .print(text)
    case .exit(let status): return .exit(status)
    case .run(let parsed):
      do {
        return .run(try command(parsed))
      } catch {
        return parser.refuse(error.description)
      }
    }
  }

  private static func command(_ parsed: ParsedArguments) throws(UsageError) -> OperatorCommand {
    for group in groups {
      if let command = try group.read(parsed) { return command }
    }
    throw UsageError("a command is needed")
  }
}

extension OperatorCommand {
  /// Commands about one thing: their part of the table, and how their options are read.
  struct Group: Sendable {
    let commands: [CommandRow]
    /// The commands that print JSON with `--json`.
    var withJSON: [String] = []
    /// The commands that change nothing without `--yes`.
    var withYes: [String] = []
    var options: [OptionRow] = []
    let examples: [(line: String, purpose: String)]
    /// `nil` for a command of another group.
    let read: @Sendable (ParsedArguments) throws(UsageError) -> OperatorCommand?
  }
}

extension ParsedArguments {
  /// The configuration that a command is about.
  var configuration: String { value(of: "config") ?? ConfigurationFile.defaultPath }

  /// A number among the options; `nil` when it was not given.
  func number(
    _ name: String, in range: ClosedRange<Double>
  ) throws(UsageError) -> Double? {
    guard let text = value(of: name) else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw UsageError(
        "--\(name) is '\(text)'; expected a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// A whole number among the options; `nil` when it was not given.
  func integer<Value: FixedWidthInteger>(
    _ name: String, in range: ClosedRange<Value>
  ) throws(UsageError) -> Value? {
    guard let text = value(of: name) else { return nil }
    guard let value = Value(text), range.contains(value) else {
      throw UsageError(
        "--\(name) is '\(text)'; expected a whole number from \(range.lowerBound) up")
    }
    return value
  }
}

/// A command line that argp accepts and the command does not.
struct UsageError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
