import Foundation
import Systemd
import Testing

@testable import Pipeline

/// What is judged by looking at paths, modes and credentials.
struct ConfigurationSystemTests {
  private let fixture: ConfigurationFixture

  init() throws { fixture = try ConfigurationFixture() }

  private static let sasl = """
    [kafka.security]
    protocol = "sasl_ssl"
    username = "shopmetrics"

    """

  /// `[kafka.security]` cannot follow the head's dotted `kafka.brokers`.
  private func problems(
    security: String, mode: Int = 0o640, credentials: String? = nil
  ) -> [String] {
    let text = """
      storage.state_directory = "\(fixture.state)"
      [kafka]
      brokers = ["localhost:9092"]
      \(security)
      """
    return fixture.problems {
      try fixture.load(bytes: Array(text.utf8), mode: mode, credentials: credentials)
    }
  }

  @Test(arguments: [
    ("inside/a/table", "inside the Delta table"), ("link", "a symbolic link"),
    ("file", "which is not a directory"), ("open", "which everybody may write to"),
    ("absent/state", "is not a directory; make it first"),
    ("shared", "tables and checkpoints must not share a place"),
  ])
  func `A state directory that would do harm is refused`(name: String, reason: String) throws {
    try fixture.makeDirectory("inside/_delta_log")
    try fixture.makeDirectory("open")
    try fixture.makeDirectory("shared/bronze/clickstream_raw")
    try fixture.write([], to: "file")
    let files = FileManager.default
    try files.setAttributes([.posixPermissions: 0o777], ofItemAtPath: fixture.root + "/open")
    try files.createSymbolicLink(
      atPath: fixture.root + "/link", withDestinationPath: fixture.state)
    try files.createSymbolicLink(
      atPath: fixture.root + "/shared/checkpoints", withDestinationPath: "bronze/clickstream_raw")
    let text = "kafka.brokers = [\"a:1\"]\nstorage.state_directory = \"\(fixture.root)/\(name)\"\n"
    let problems = fixture.problems(bytes: Array(text.utf8))
    #expect(problems.count == 1)
    let problem = try #require(problems.first)
    #expect(problem.hasPrefix("2:27: storage.state_directory ") && problem.contains(reason))
  }

  @Test func `A state directory that is yet to be made is fine`() throws {
    let text = "kafka.brokers = [\"a:1\"]\nstorage.state_directory = \"\(fixture.root)/new\"\n"
    let configuration = try fixture.load(bytes: Array(text.utf8))
    #expect(configuration.paths.bronze == fixture.root + "/new/bronze/clickstream_raw")
    #expect(!FileManager.default.fileExists(atPath: fixture.root + "/new"))
  }

  @Test(.enabled(if: geteuid() != 0, "the superuser may write everywhere"))
  func `A state directory without permission comes with the drop-in to write`() throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o550], ofItemAtPath: fixture.state)
    let problems = fixture.problems("")
    #expect(problems.count == 1)
    #expect(problems.first?.contains("ReadWritePaths=\(fixture.state)") == true, "\(problems)")
  }

  @Test func `A password in the file asks for a strict mode and is never shown`() throws {
    let security = Self.sasl + "password = \"canary-7319\"\n"
    #expect(problems(security: security, mode: 0o640) == [])
    #expect(problems(security: security, mode: 0o600) == [])
    for mode in [0o644, 0o660, 0o641] {
      let found = problems(security: security, mode: mode)
      #expect(found.count == 1)
      #expect(found.first?.contains("the file's mode is 0\(String(mode, radix: 8))") == true)
    }
    let errors = #expect(throws: ConfigurationErrors.self) {
      try ConfigurationFile.load(path: fixture.file)
    }
    #expect(errors?.description.contains("password = ***") == true)
    #expect(errors?.description.contains("canary") == false)
  }

  @Test(arguments: [
    "password = \"canary-7319", "password = 7319", "key_password = \"canary-7319\"",
    "extra = { a = 1, password = \"canary-7319\" }",
  ])
  func `No mistake in its line makes an error show a secret`(line: String) {
    let text = "[kafka]\nbrokers = [\"a:1\"]\n[kafka.security]\n\(line)\n"
    let errors = #expect(throws: ConfigurationErrors.self) {
      try fixture.load(bytes: Array(text.utf8))
    }
    #expect(errors?.description.contains("7319") == false, "\(errors?.description ?? "")")
  }

  @Test func `A secret prints as stars wherever it goes`() throws {
    let secret = Secret("canary-7319")
    #expect("\(secret) \(String(reflecting: secret))" == "*** ***")
    var settings = KafkaSettings(brokers: [])
    settings.security.password = secret
    #expect(!"\(settings)".contains("canary"))
  }

  @Test func `A credential is read from where systemd puts it, without its newline`() throws {
    try fixture.makeDirectory("credentials")
    try fixture.write(Array("s3cret \n".utf8), to: "credentials/kafka-password")
    let text = """
      storage.state_directory = "\(fixture.state)"
      [kafka]
      brokers = ["localhost:9092"]
      \(Self.sasl)password_credential = "kafka-password"
      """
    let configuration = try fixture.load(
      bytes: Array(text.utf8), mode: 0o644, credentials: fixture.root + "/credentials")
    #expect(configuration.kafka.security.password?.exposedValue == "s3cret ")
    let properties = configuration.kafka.clientProperties.map { "\($0.name)=\($0.value)" }
    #expect(
      properties == [
        "security.protocol=sasl_ssl", "sasl.mechanism=SCRAM-SHA-512",
        "sasl.username=shopmetrics", "sasl.password=s3cret ",
      ])
  }

  @Test func `A credential that is named but absent comes with the line for the unit`() throws {
    let security = Self.sasl + "password_credential = \"kafka-password\"\n"
    let remedy = "LoadCredential=kafka-password:/path/of/the/secret"
    let outside = problems(security: security)
    #expect(outside.count == 1)
    #expect(outside.first?.contains("$CREDENTIALS_DIRECTORY is not set") == true)
    #expect(outside.first?.contains(remedy) == true)
    let inside = problems(security: security, credentials: fixture.root)
    #expect(inside.first?.contains("No such file or directory") == true)
    #expect(inside.first?.contains(remedy) == true)
  }

  @Test func `A check outside of the service notes the credential that it cannot see`() throws {
    let text = """
      storage.state_directory = "\(fixture.state)"
      [kafka]
      brokers = ["localhost:9092"]
      \(Self.sasl)password_credential = "kafka-password"
      """
    try fixture.write(Array(text.utf8), to: "shopmetrics.toml")
    let notes = try ConfigurationFile.check(
      path: fixture.file, surroundings: .init(credentialsDirectory: nil)
    ).notes
    // There may be another one about the library and SCRAM.
    #expect(
      notes.first?.hasPrefix("kafka.security.password_credential is not checked here") == true)
  }

  @Test(arguments: [
    ("protocol = \"sasl_plaintext\"", "that needs kafka.security.username"),
    ("protocol = \"sasl_ssl\"\nusername = \"u\"", "that needs kafka.security.password_credential"),
    ("username = \"u\"", "username has no effect: kafka.security.protocol is \"plaintext\""),
    ("ca_file = \"/ca\"", "ca_file has no effect: kafka.security.protocol is \"plaintext\""),
    ("protocol = \"ssl\"\nca_file = \"/no/ca\"", "/no/ca cannot be read: No such file"),
    ("protocol = \"ssl\"\ncertificate_file = \"/\"", "are only useful together"),
    (
      "protocol = \"ssl\"\nkey_file = \"/\"\nkey_credential = \"k\"",
      "kafka.security.key_file and kafka.security.key_credential are both given"
    ),
  ])
  func `Security settings that do not fit together are refused`(text: String, reason: String) {
    let found = problems(security: "[kafka.security]\n\(text)\n")
    #expect(found.contains { $0.contains(reason) }, "\(found)")
  }

  @Test(arguments: [0o644, 0o660, 0o700])
  func `A private key that others could read or change is refused`(mode: Int) throws {
    try fixture.write([], to: "client.pem")
    let security = """
      [kafka.security]
      protocol = "ssl"
      certificate_file = "\(fixture.root)/client.pem"
      key_file = "\(fixture.root)/client.key"

      """
    try fixture.write([], to: "client.key", mode: mode)
    let found = problems(security: security)
    #expect(found.count == 1)
    #expect(found.first?.contains("mode is 0\(String(mode, radix: 8))") == true, "\(found)")
    for strict in [0o640, 0o600, 0o440, 0o400] {
      try fixture.write([], to: "client.key", mode: strict)
      #expect(problems(security: security) == [], "mode \(String(strict, radix: 8))")
    }
  }

  @Test func `A webhook comes from a credential, is checked and is never shown`() throws {
    try fixture.makeDirectory("credentials")
    try fixture.write(Array("https://hooks.example.net/canary-7319\n".utf8), to: "credentials/hook")
    let text = "on_failure.webhook_credential = \"hook\"\n"
    let credentials = fixture.root + "/credentials"
    let webhook = try fixture.load(text, credentials: credentials).onFailure.webhook
    #expect(webhook?.exposedValue == "https://hooks.example.net/canary-7319")
    try fixture.write(Array("canary-7319".utf8), to: "credentials/hook")
    let found = fixture.problems(text, credentials: credentials)
    #expect(found.count == 1)
    #expect(found.first?.contains("http://") == true && !found.description.contains("canary"))
    let both = fixture.problems(
      text + "on_failure.webhook = \"http://a\"\n", credentials: credentials)
    #expect(both.contains { $0.contains("are both given") }, "\(both)")
    let open = fixture.problems("on_failure.webhook = \"http://a\"\n", mode: 0o644)
    #expect(open.first?.contains("on_failure.webhook is a secret") == true, "\(open)")
  }

  @Test func `A program to call must be there`() {
    #expect(fixture.problems("on_failure.exec = [\"/bin/sh\", \"-c\", \"true\"]") == [])
    let found = fixture.problems("on_failure.exec = [\"/no/program\"]")
    #expect(found == ["3:19: /no/program cannot be called: No such file or directory"])
  }

  @Test func `Runs start by an interval or by a calendar, not by both`() throws {
    let both = "schedule.every = \"1h\"\nschedule.calendar = \"daily\"\n"
    #expect(
      fixture.problems(both)
        == ["3:10: schedule.every and schedule.calendar are both given; expected one of them"])
    let configuration = try fixture.load(
      "schedule.calendar = \"daily\"\nschedule.jitter = \"10min\"")
    #expect(configuration.schedule.calendar?.description == "daily")
    #expect(configuration.successDeadline == .seconds(86_400))
  }

  @Test func `What an absent setting means follows from others`() throws {
    #expect(Configuration(brokers: []).controlSocketPath == "/run/shopmetrics/control")
    #expect(try fixture.load("").controlSocketPath == fixture.state + "/control")
    #expect(try fixture.load("control.socket = \"/a/b\"").controlSocketPath == "/a/b")
    #expect(try fixture.load("schedule.every = \"1s\"").successDeadline == .seconds(900))
    #expect(try fixture.load("schedule.every = \"1h\"").successDeadline == .seconds(10_800))
    #expect(
      try fixture.load("on_failure.no_success_for = \"1min\"").successDeadline == .seconds(60))
  }
}
