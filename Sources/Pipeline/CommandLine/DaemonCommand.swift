package import Argp

/// What `shopmetricsd` is asked to do.
package enum DaemonCommand: Equatable, Sendable {
  /// Stay and run by the schedule.
  case serve(configuration: String)
  /// One availableNow run in the foreground.
  case runOnce(configuration: String)
  /// Say everything that is wrong with the file, and change nothing.
  case checkConfiguration(path: String)

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
        "Check the configuration, print every problem, change nothing; exit 0 or 78"),
      OptionRow(
        "once", .none, "Take everything that is available now, then exit", of: ["run"]),
    ],
    examples: [
      ("shopmetricsd --check-config", "Check the configuration before a start or reload"),
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
    case .run(let parsed): .run(command(parsed))
    case .print(let text): .print(text)
    case .exit(let status): .exit(status)
    }
  }

  private static func command(_ parsed: ParsedArguments) -> DaemonCommand {
    let configuration = parsed.value(of: "config") ?? ConfigurationFile.defaultPath
    if parsed.has("check-config") {
      return .checkConfiguration(path: parsed.value(of: "check-config") ?? configuration)
    }
    return parsed.has("once")
      ? .runOnce(configuration: configuration) : .serve(configuration: configuration)
  }
}
