package import Argp

/// What `shopmetricsctl` is asked to do.
package enum OperatorCommand: Equatable, Sendable {
  case produce(ProduceOptions)
  case status(configuration: String, json: Bool)
  case showCheckpoint(configuration: String, json: Bool)
  case verify(configuration: String, json: Bool, isDeep: Bool)
  case rebuildSilver(configuration: String, isConfirmed: Bool)

  /// The generator's and the producer's settings.
  package struct ProduceOptions: Equatable, Sendable {
    /// `nil`: those of the configuration.
    package var brokers: String?
    /// `nil`: that of the configuration.
    package var topic: String?
    package var configuration = ConfigurationFile.defaultPath
    /// Events per second; `nil` for as fast as the brokers take them.
    package var rate: Double? = 1
    /// `nil`: until interrupted.
    package var events: Int64?
    /// Over which time up to now the events happened; `nil`: each happens when it is sent.
    package var since: Duration?
    /// Distinct customers; most events are theirs, the others' visitors are anonymous.
    package var customers = 1000
    /// The same seed makes the same events; `nil` for another one each time.
    package var seed: UInt64?
    /// Parts of the events, 0 to 1.
    package var malformed = 0.01
    package var late = 0.02
    package var duplicates = 0.01

    package init() {}
  }

  package static let table = ProgramTable(
    name: "shopmetricsctl",
    summary: "Look after shopmetricsd: its state, its tables, and test events for it.",
    commands: [
      CommandRow("produce", "Send realistic click events to the topic"),
      CommandRow("status", "Where the stream is and what its last batch did"),
      CommandRow("checkpoint show", "The batches and offsets of both checkpoints"),
      CommandRow("verify", "Check all tables and checkpoints from the files alone"),
      CommandRow("silver rebuild", "Make Silver anew from Bronze, with the daemon stopped"),
    ],
    options: [
      OptionRow(
        "config", .required("FILE"), "Configuration (default \(ConfigurationFile.defaultPath))"),
      OptionRow(
        "json", .none, "Print one JSON document instead of text",
        of: ["status", "checkpoint show", "verify"]),
      OptionRow("deep", .none, "Also compute Silver from Bronze again", of: ["verify"]),
      OptionRow(
        "yes", .none, "Do it; without this only say what would be done", of: ["silver rebuild"]),
      OptionRow(
        "brokers", .required("LIST"), "host:port,… instead of the configuration's",
        of: ["produce"]),
      OptionRow(
        "topic", .required("NAME"), "Topic instead of the configuration's", of: ["produce"]),
      OptionRow(
        "rate", .required("N"), "Events per second, or \"max\" (default 1)", of: ["produce"]),
      OptionRow(
        "events", .required("N"), "Stop after this many (default: until interrupted)",
        of: ["produce"]),
      OptionRow(
        "since", .required("AGO"),
        "Let the events happen over this time up to now, such as 6h; needs --events",
        of: ["produce"]),
      OptionRow(
        "customers", .required("N"), "Distinct customers (default 1000)", of: ["produce"]),
      OptionRow(
        "seed", .required("N"), "Make the same events again (default: others each time)",
        of: ["produce"]),
      OptionRow(
        "malformed", .required("PART"), "Part that is invalid, 0 to 1 (default 0.01)",
        of: ["produce"]),
      OptionRow(
        "late", .required("PART"), "Part that comes late, 0 to 1 (default 0.02)",
        of: ["produce"]),
      OptionRow(
        "duplicates", .required("PART"), "Part that is sent twice, 0 to 1 (default 0.01)",
        of: ["produce"]),
    ],
    examples: [
      (
        "shopmetricsctl produce --brokers localhost:9092 --rate 100",
        "A hundred events each second, until interrupted"
      ),
      (
        "shopmetricsctl produce --events 100000 --rate max --seed 7",
        "A repeatable load, as fast as possible"
      ),
      (
        "shopmetricsctl produce --since 6h --events 12000 --rate max",
        "Six hours of the shop at once: sessions that are over, for a first look"
      ),
      ("shopmetricsctl status --json", "For scripts"),
      ("shopmetricsctl checkpoint show", "The offsets of the last batches"),
      ("shopmetricsctl verify && echo sound", "The exit status says the result"),
      ("shopmetricsctl silver rebuild --yes", "After a change of silver.session_gap"),
    ])

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
    let configuration = parsed.value(of: "config") ?? ConfigurationFile.defaultPath
    let json = parsed.has("json")
    return switch parsed.command {
    case "produce": .produce(try produceOptions(parsed, configuration))
    case "status": .status(configuration: configuration, json: json)
    case "checkpoint show": .showCheckpoint(configuration: configuration, json: json)
    case "verify":
      .verify(configuration: configuration, json: json, isDeep: parsed.has("deep"))
    case "silver rebuild":
      .rebuildSilver(configuration: configuration, isConfirmed: parsed.has("yes"))
    default: throw UsageError("a command is needed")
    }
  }

  private static func produceOptions(
    _ parsed: ParsedArguments, _ configuration: String
  ) throws(UsageError) -> ProduceOptions {
    var options = ProduceOptions()
    options.configuration = configuration
    options.brokers = parsed.value(of: "brokers")
    options.topic = parsed.value(of: "topic")
    if let text = parsed.value(of: "rate") {
      options.rate = text == "max" ? nil : try number(text, "rate", in: 0.001...10_000_000)
    }
    if let text = parsed.value(of: "events") {
      options.events = try integer(text, "events", in: 1...Int64.max)
    }
    if let text = parsed.value(of: "seed") {
      options.seed = try integer(text, "seed", in: 0...UInt64.max)
    }
    if let text = parsed.value(of: "customers") {
      options.customers = try integer(text, "customers", in: 1...100_000_000)
    }
    options.since = try since(parsed)
    guard options.since == nil || options.events != nil else {
      throw UsageError("--since spreads events over a time; --events must say how many")
    }
    options.malformed = try part(parsed, "malformed") ?? options.malformed
    options.late = try part(parsed, "late") ?? options.late
    options.duplicates = try part(parsed, "duplicates") ?? options.duplicates
    return options
  }

  private static func since(_ parsed: ParsedArguments) throws(UsageError) -> Duration? {
    guard let text = parsed.value(of: "since") else { return nil }
    let range = Duration.seconds(1)...Duration.seconds(3650 * 86_400)
    guard let duration = DurationText.duration(text), range.contains(duration) else {
      throw UsageError("--since is '\(text)'; expected a duration from 1s to 3650d, such as 6h")
    }
    return duration
  }

  private static func part(
    _ parsed: ParsedArguments, _ name: String
  ) throws(UsageError) -> Double? {
    guard let text = parsed.value(of: name) else { return nil }
    return try number(text, name, in: 0...1)
  }

  private static func number(
    _ text: String, _ name: String, in range: ClosedRange<Double>
  ) throws(UsageError) -> Double {
    guard let value = Double(text), range.contains(value) else {
      throw UsageError(
        "--\(name) is '\(text)'; expected a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  private static func integer<Value: FixedWidthInteger>(
    _ text: String, _ name: String, in range: ClosedRange<Value>
  ) throws(UsageError) -> Value {
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
