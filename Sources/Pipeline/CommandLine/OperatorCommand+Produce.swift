internal import Argp

/// Test events.
extension OperatorCommand {
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

  static let production = Group(
    commands: [CommandRow("produce", "Send realistic click events to the topic")],
    options: [
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
    ],
    read: { (parsed) throws(UsageError) -> OperatorCommand? in
      parsed.command == "produce" ? .produce(try produceOptions(parsed)) : nil
    })

  private static func produceOptions(
    _ parsed: ParsedArguments
  ) throws(UsageError) -> ProduceOptions {
    var options = ProduceOptions()
    options.configuration = parsed.configuration
    options.brokers = parsed.value(of: "brokers")
    options.topic = parsed.value(of: "topic")
    options.rate =
      parsed.value(of: "rate") == "max"
      ? nil : try parsed.number("rate", in: 0.001...10_000_000) ?? options.rate
    options.events = try parsed.integer("events", in: 1...Int64.max)
    options.seed = try parsed.integer("seed", in: 0...UInt64.max)
    options.customers = try parsed.integer("customers", in: 1...100_000_000) ?? options.customers
    options.since = try since(parsed)
    guard options.since == nil || options.events != nil else {
      throw UsageError("--since spreads events over a time; --events must say how many")
    }
    options.malformed = try parsed.number("malformed", in: 0...1) ?? options.malformed
    options.late = try parsed.number("late", in: 0...1) ?? options.late
    options.duplicates = try parsed.number("duplicates", in: 0...1) ?? options.duplicates
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
}
