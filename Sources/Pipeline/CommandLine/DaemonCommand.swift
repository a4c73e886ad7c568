package import Argp

/// What `shopmetricsd` is asked to do.
package enum DaemonCommand: Equatable, Sendable {
  /// Stay and run by the schedule.
  case serve(configuration: String)
  /// One availableNow run in the foreground.
  case runOnce(configuration: String)
  /// Say everything that is wrong with the file, and change nothing.
  case checkConfiguration(path: String, json: Bool)
  /// Every setting, with where its value is from.
  case dumpConfiguration(path: String, json: Bool)
  /// Check it, then ask the brokers what a run would.
  case checkOnline(path: String)

  package static let table = ProgramTable(
    name: "shopmetricsd",
    summary: "Ingest click events from Kafka into Delta tables, exactly once.",
    commands: [
      CommandRow("run", "Run by the schedule; the same as no command")
    ],
    options: [
      OptionRow(
        "config", .required("FILE"), "Configuration (default \(ConfigurationFile.defaultPath))"),
      OptionRow(
        "check-config", .optional("FILE"),
        "Check the configuration, and that it fits the checkpoint and the tables; print every "
          + "problem, change nothing; exit 0 or 78"),
      OptionRow(
        "dump-config", .optional("FILE"),
        "Print every setting with its value and where that is from, secrets masked"),
      OptionRow("json", .none, "Print JSON, with --check-config and --dump-config"),
      OptionRow(
        "online", .none,
        "With --check-config: ask the brokers too, and say what a run would find; exit 69 when "
          + "they cannot be used, 65 when the topic does not fit the checkpoint"),
      OptionRow(
        "once", .none, "Take everything that is available now, then exit", of: ["run"]),
    ],
    examples: [
      ("shopmetricsd --check-config", "Check the configuration before a start or reload"),
      ("shopmetricsd --dump-config", "See what is in force, and what is a default"),
      ("shopmetricsd --check-config --online", "Try brokers, login and topic as well"),
      ("shopmetricsd run --once", "One run in the foreground, with a progress bar"),
      ("shopmetricsd --config ./test.toml", "Run by the schedule, with another file"),
    ])

  /// Checks a command line, the program's name first.
  ///
  /// Mistakes are explained on standard error.
  package static func parse(
    _ arguments: [String], version: String
  ) -> CommandLineOutcome<DaemonCommand> {
    switch ArgumentParser(table).parse(arguments, version: version) {
    case .run(let parsed):
      complaint(about: parsed).map(ArgumentParser(table).refuse) ?? .run(command(parsed))
    case .print(let text): .print(text)
    case .exit(let status): .exit(status)
    }
  }

  /// An option that would silently be ignored is a mistake.
  private static func complaint(about parsed: ParsedArguments) -> String? {
    let looks = ["check-config", "dump-config"].filter(parsed.has)
    if looks.count > 1 { return "--check-config and --dump-config are two questions" }
    if looks.isEmpty {
      return ["json", "online"].first(where: parsed.has).map { "--\($0) is for --check-config" }
    }
    if parsed.command != nil { return "--\(looks[0]) runs nothing" }
    guard parsed.has("online") else { return nil }
    if looks == ["dump-config"] { return "--online is for --check-config" }
    return parsed.has("json") ? "--online prints no JSON" : nil
  }

  private static func command(_ parsed: ParsedArguments) -> DaemonCommand {
    let configuration = parsed.value(of: "config") ?? ConfigurationFile.defaultPath
    let json = parsed.has("json")
    if parsed.has("online") {
      return .checkOnline(path: parsed.value(of: "check-config") ?? configuration)
    }
    if parsed.has("check-config") {
      return .checkConfiguration(
        path: parsed.value(of: "check-config") ?? configuration, json: json)
    }
    if parsed.has("dump-config") {
      return .dumpConfiguration(
        path: parsed.value(of: "dump-config") ?? configuration, json: json)
    }
    return parsed.has("once")
      ? .runOnce(configuration: configuration) : .serve(configuration: configuration)
  }
}
