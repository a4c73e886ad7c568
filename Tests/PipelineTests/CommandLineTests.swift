import Argp
import Testing

@testable import Pipeline

struct DaemonCommandLineTests {
  private func parse(_ line: String) -> CommandLineOutcome<DaemonCommand> {
    DaemonCommand.parse(line.split(separator: " ").map(String.init), version: "shopmetricsd 1")
  }

  @Test(arguments: [
    ("shopmetricsd", DaemonCommand.serve(configuration: "/etc/shopmetrics.toml")),
    ("shopmetricsd run", .serve(configuration: "/etc/shopmetrics.toml")),
    ("shopmetricsd --config F", .serve(configuration: "F")),
    ("shopmetricsd --config F run --once", .runOnce(configuration: "F")),
    ("shopmetricsd run --once --config F", .runOnce(configuration: "F")),
    ("shopmetricsd run --config=F --once", .runOnce(configuration: "F")),
    ("shopmetricsd --config A run --once --config B", .runOnce(configuration: "B")),
    (
      "shopmetricsd --check-config",
      .checkConfiguration(path: "/etc/shopmetrics.toml", json: false)
    ),
    ("shopmetricsd --check-config F", .checkConfiguration(path: "F", json: false)),
    ("shopmetricsd --check-config=F", .checkConfiguration(path: "F", json: false)),
    ("shopmetricsd --config F --check-config", .checkConfiguration(path: "F", json: false)),
    ("shopmetricsd --check-config --config F", .checkConfiguration(path: "F", json: false)),
    ("shopmetricsd --json --check-config F", .checkConfiguration(path: "F", json: true)),
    (
      "shopmetricsd --dump-config", .dumpConfiguration(path: "/etc/shopmetrics.toml", json: false)
    ),
    ("shopmetricsd --config F --dump-config", .dumpConfiguration(path: "F", json: false)),
    ("shopmetricsd --dump-config F --json", .dumpConfiguration(path: "F", json: true)),
    ("shopmetricsd --check-config --online", .checkOnline(path: "/etc/shopmetrics.toml")),
    ("shopmetricsd --check-config F --online", .checkOnline(path: "F")),
  ])
  func `Options may stand before and behind the command`(line: String, expected: DaemonCommand) {
    #expect(parse(line) == .run(expected))
  }

  @Test(arguments: [
    "shopmetricsd --nonsense", "shopmetricsd walk", "shopmetricsd run run",
    "shopmetricsd --config", "shopmetricsd --once", "shopmetricsd run --once=yes",
    "shopmetricsd run now", "shopmetricsd -x",
    "shopmetricsd --json", "shopmetricsd run --once --json", "shopmetricsd --online",
    "shopmetricsd --dump-config --online", "shopmetricsd --check-config --online --json",
    "shopmetricsd --check-config --dump-config", "shopmetricsd run --check-config",
  ])
  func `What is not understood ends with 64`(line: String) {
    #expect(parse(line) == .exit(64))
  }

  @Test func `The version is printed as it was given`() {
    #expect(parse("shopmetricsd --version") == .print("shopmetricsd 1\n"))
  }

  @Test func `The help has every command, every option and an example in 80 columns`() throws {
    guard case .print(let help) = parse("shopmetricsd --help") else {
      Issue.record("no help")
      return
    }
    for option in DaemonCommand.table.options { #expect(help.contains("--\(option.name)")) }
    #expect(help.contains("shopmetricsd run --once"))
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(help)")
  }
}

struct OperatorCommandLineTests {
  private func parse(_ line: String) -> CommandLineOutcome<OperatorCommand> {
    OperatorCommand.parse(line.split(separator: " ").map(String.init), version: "1")
  }

  @Test func `Produce takes every option, in any order`() {
    var options = OperatorCommand.ProduceOptions()
    options.brokers = "a:1,b:2"
    options.topic = "t"
    options.rate = 2.5
    options.events = 100
    options.customers = 7
    options.since = .seconds(6 * 3600)
    options.seed = UInt64.max
    options.malformed = 0
    options.late = 1
    options.duplicates = 0.5
    options.configuration = "F"
    let line =
      "shopmetricsctl --brokers a:1,b:2 produce --topic t --rate 2.5 --events 100 "
      + "--customers 7 --since 6h --seed 18446744073709551615 --malformed 0 --late 1 "
      + "--duplicates 0.5 --config F"
    #expect(parse(line) == .run(.produce(options)))
  }

  @Test func `Produce without options sends one event a second to the configured topic`() {
    let defaults = OperatorCommand.ProduceOptions()
    #expect(parse("shopmetricsctl produce") == .run(.produce(defaults)))
    #expect(defaults.rate == 1 && defaults.events == nil && defaults.brokers == nil)
  }

  @Test func `As fast as possible is a rate of its own`() {
    var options = OperatorCommand.ProduceOptions()
    options.rate = nil
    #expect(parse("shopmetricsctl produce --rate max") == .run(.produce(options)))
  }

  @Test(arguments: [
    (
      "shopmetricsctl status",
      OperatorCommand.status(
        configuration: "/etc/shopmetrics.toml", json: false, watches: false)
    ),
    (
      "shopmetricsctl status --json --config F",
      .status(configuration: "F", json: true, watches: false)
    ),
    (
      "shopmetricsctl status --watch --config F",
      .status(configuration: "F", json: false, watches: true)
    ),
    ("shopmetricsctl lag --config F --json", .lag(configuration: "F", json: true)),
    ("shopmetricsctl --config F runs", .runs(configuration: "F", json: false)),
    ("shopmetricsctl run --wait --config F", .run(configuration: "F", waits: true)),
    ("shopmetricsctl --config F run", .run(configuration: "F", waits: false)),
    ("shopmetricsctl pause --config F", .pause(configuration: "F")),
    ("shopmetricsctl resume --config F", .resume(configuration: "F")),
    ("shopmetricsctl --config F checkpoint show", .showCheckpoint(configuration: "F", json: false)),
    ("shopmetricsctl verify --config F", .verify(configuration: "F", json: false, isDeep: false)),
  ])
  func `Every command has its value`(line: String, expected: OperatorCommand) {
    #expect(parse(line) == .run(expected))
  }

  @Test(arguments: [
    "shopmetricsctl", "shopmetricsctl checkpoint", "shopmetricsctl checkpoint hide",
    "shopmetricsctl produce --rate 0", "shopmetricsctl produce --rate fast",
    "shopmetricsctl produce --rate nan", "shopmetricsctl produce --events -1",
    "shopmetricsctl produce --malformed 1.1", "shopmetricsctl produce --json",
    "shopmetricsctl produce --customers 0", "shopmetricsctl produce --since 6h",
    "shopmetricsctl produce --events 9 --since 6", "shopmetricsctl produce --events 9 --since 0s",
    "shopmetricsctl verify --seed 1", "shopmetricsctl produce --seed 18446744073709551616",
  ])
  func `What is not understood ends with 64`(line: String) {
    #expect(parse(line) == .exit(64))
  }

  @Test func `The help of a command has its options and no others`() throws {
    guard case .print(let help) = parse("shopmetricsctl produce --help") else {
      Issue.record("no help")
      return
    }
    #expect(help.contains("--malformed=PART") && help.contains("--config=FILE"))
    #expect(!help.contains("--json"))
    #expect(help.contains("shopmetricsctl produce --events 100000"))
    #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(help)")
  }
}
