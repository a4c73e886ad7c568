import Glibc
import Kafka

/// What can only be judged over several keys, or by looking at the system.
extension ConfigurationLoader {
  mutating func check(file: ConfigurationBytes, surroundings: ConfigurationFile.Surroundings) {
    checkBrokers()
    checkStartingTopic()
    checkSchedule()
    checkSizes()
    checkSecurity()
    refusePair("on_failure.webhook", "on_failure.webhook_credential")
    checkInlineSecrets(file)
    resolveCredentials(surroundings)
    checkFiles()
    checkProperties()
    checkStateDirectory()
  }

  private mutating func checkBrokers() {
    if nodes["kafka.brokers"] == nil {
      report(nil, "kafka.brokers is required and has no default")
    }
  }

  private mutating func checkStartingTopic() {
    guard case .string(let text) = nodes["kafka.starting_offsets"]?.value,
      let topic = StartingOffsetsForm.offsets(text)?.topic, topic != configuration.kafka.topic
    else { return }
    report(
      "kafka.starting_offsets",
      "kafka.starting_offsets is for the topic \(TOMLText.quoted(topic)); expected "
        + TOMLText.quoted(configuration.kafka.topic))
  }

  private mutating func checkSchedule() {
    let schedule = configuration.schedule
    if schedule.calendar != nil {
      refusePair("schedule.every", "schedule.calendar")
      return
    }
    guard schedule.jitter > schedule.every else { return }
    report(
      nodes["schedule.jitter"] == nil ? "schedule.every" : "schedule.jitter",
      "schedule.jitter is \(DurationText.text(schedule.jitter)); expected at most schedule.every, "
        + DurationText.text(schedule.every))
  }

  private mutating func checkSizes() {
    let storage = configuration.storage
    guard Int64(storage.rowGroupBytes) > storage.targetFileBytes else { return }
    report(
      nodes["storage.row_group_size"] == nil ? "storage.file_size" : "storage.row_group_size",
      "storage.row_group_size is \(ByteSize.text(Int64(storage.rowGroupBytes))); "
        + "expected at most storage.file_size, \(ByteSize.text(storage.targetFileBytes))")
  }

  private mutating func checkSecurity() {
    let security = configuration.kafka.security
    let isSASL = [.saslPlaintext, .saslSSL].contains(security.securityProtocol)
    let isTLS = [.ssl, .saslSSL].contains(security.securityProtocol)
    let chosen = "kafka.security.protocol is \"\(security.securityProtocol.rawValue)\""
    if isSASL {
      requireOne(of: ["username"], because: chosen)
      requireOne(of: ["password_credential", "password"], because: chosen)
    } else {
      refuse(
        ["mechanism", "username", "password_credential", "password"],
        because: "\(chosen), which knows no users; expected \"sasl_ssl\" or \"sasl_plaintext\"")
    }
    if !isTLS {
      refuse(
        ["ca_file", "certificate_file", "key_file", "key_credential"],
        because: "\(chosen), which is not encrypted; expected \"ssl\" or \"sasl_ssl\"")
    }
    refusePair("kafka.security.password", "kafka.security.password_credential")
    refusePair("kafka.security.key_file", "kafka.security.key_credential")
    let hasKey = isPresent("key_file") || isPresent("key_credential")
    if hasKey != isPresent("certificate_file"), isTLS {
      report(
        nodes["kafka.security.certificate_file"]?.valueRegion
          ?? nodes["kafka.security.key_file"]?.valueRegion
          ?? nodes["kafka.security.key_credential"]?.valueRegion,
        "certificate_file and a key (key_file or key_credential) are only useful together")
    }
  }

  private func isPresent(_ key: String) -> Bool { nodes["kafka.security.\(key)"] != nil }

  private mutating func requireOne(of keys: [String], because reason: String) {
    guard !keys.contains(where: isPresent) else { return }
    report(
      "kafka.security.protocol", "\(reason); that needs kafka.security.\(keys[0]), which is absent")
  }

  private mutating func refuse(_ keys: [String], because reason: String) {
    for key in keys where isPresent(key) {
      report(nodes["kafka.security.\(key)"]?.keyRegion, "\(key) has no effect: \(reason)")
    }
  }

  private mutating func refusePair(_ first: String, _ second: String) {
    guard let node = nodes[first], nodes[second] != nil else { return }
    report(
      node.keyRegion,
      "\(first) and \(second) are both given; expected one of them")
  }

  /// A secret may stand in the file only while nobody but its owner and group can read it.
  private mutating func checkInlineSecrets(_ file: ConfigurationBytes) {
    guard !Self.isStrict(file.mode) else { return }
    let secrets = nodes.filter { SecretKeys.mayHoldSecret($0.key) }
    let mode = Self.octal(file.mode)
    for (path, node) in secrets {
      report(
        node.keyRegion,
        "\(path) is a secret and the file's mode is \(mode); expected 0640 or stricter "
          + "(chmod 0640), or better a systemd credential")
    }
  }

  private mutating func checkProperties() {
    for property in configuration.kafka.properties {
      let path = "\(Schema.passThroughTable).\(property.name)"
      if let own = Self.ownKeys[property.name] {
        report(nodes[path]?.keyRegion, "\(property.name) has a key of its own: \(own)")
      } else if let problem = KafkaConfiguration.problem(
        withProperty: property.name, value: property.value)
      {
        report(nodes[path]?.keyRegion, hiding(property, in: problem))
      }
    }
  }

  /// The library's words name the value, which may be a secret or hold a terminal's commands.
  private func hiding(_ property: LibrdkafkaProperty, in problem: String) -> String {
    SecretKeys.mayHoldSecret(property.name)
      ? "\(property.name) is not usable (not shown: it may hold a secret)"
      : TOMLText.escaped(problem)
  }

  /// librdkafka's names for what our own keys set: one thing is written in one place.
  private static let ownKeys: [String: String] = [
    "bootstrap.servers": "kafka.brokers",
    "metadata.broker.list": "kafka.brokers",
    "client.id": "kafka.client_id",
    "queued.max.messages.kbytes": "limits.fetch_memory",
    "security.protocol": "kafka.security.protocol",
    "sasl.mechanism": "kafka.security.mechanism",
    "sasl.mechanisms": "kafka.security.mechanism",
    "sasl.username": "kafka.security.username",
    "sasl.password": "kafka.security.password_credential or kafka.security.password",
    "ssl.ca.location": "kafka.security.ca_file",
    "ssl.certificate.location": "kafka.security.certificate_file",
    "ssl.key.location": "kafka.security.key_file or kafka.security.key_credential",
  ]
}

/// Credentials and files that the configuration names.
extension ConfigurationLoader {
  private mutating func resolveCredentials(_ surroundings: ConfigurationFile.Surroundings) {
    let security = configuration.kafka.security
    if let name = security.passwordCredential {
      let secret = secret(name, "kafka.security.password_credential", surroundings)
      update { $0.kafka.security.password = secret }
    }
    if let name = security.keyCredential,
      let path = credential(name, "kafka.security.key_credential", surroundings)
    {
      update { $0.kafka.security.keyFile = path }
    }
    if let name = configuration.onFailure.webhookCredential {
      let key = "on_failure.webhook_credential"
      let secret = secret(name, key, surroundings)
      if let secret, ValueForm.webAddress.read(.string(secret.exposedValue)) == nil {
        report(
          key, "the credential \(name) is not shown; expected \(ValueForm.webAddress.expectation)")
      }
      update { $0.onFailure.webhook = secret }
    }
  }

  /// What the credential holds; `nil` after a report.
  private mutating func secret(
    _ name: String, _ key: String, _ surroundings: ConfigurationFile.Surroundings
  ) -> Secret? {
    guard let path = credential(name, key, surroundings) else { return nil }
    do {
      return try CredentialFile.read(path)
    } catch {
      report(key, "the credential \(name) \(error.message)")
      return nil
    }
  }

  /// The credential's file, which is checked; `nil` after a report.
  private mutating func credential(
    _ name: String, _ key: String, _ surroundings: ConfigurationFile.Surroundings
  ) -> String? {
    let remedy = "; in the unit: LoadCredential=\(name):/path/of/the/secret"
    guard let directory = surroundings.credentialsDirectory else {
      reportToService(
        key,
        "the credential \(name) is absent: $CREDENTIALS_DIRECTORY is not set, so this is not a "
          + "service with credentials" + remedy)
      return nil
    }
    let path = "\(directory)/\(name)"
    guard access(path, R_OK) == 0 else {
      // systemd shows credentials to the main process, not to those of ExecReload=.
      if errno == EACCES {
        reportToService(key, "\(path): \(SystemText.error(EACCES))")
        return nil
      }
      report(
        key, "the credential \(name) is absent: \(path): \(SystemText.error(errno))" + remedy)
      return nil
    }
    return path
  }

  private mutating func checkFiles() {
    let security = configuration.kafka.security
    let files = [
      ("kafka.security.ca_file", security.caFile, R_OK),
      ("kafka.security.certificate_file", security.certificateFile, R_OK),
      ("kafka.security.key_file", security.keyFile, R_OK),
      ("on_failure.exec", configuration.onFailure.exec.first, X_OK),
    ]
    for case (let key, let path?, let use) in files
    where nodes[key] != nil && access(path, use) != 0 {
      let verb = use == X_OK ? "called" : "read"
      report(
        key, "\(path) cannot be \(verb): \(SystemText.error(errno))", asNote: reader == .tool)
    }
    checkKeyMode()
  }

  /// A key may be read by its owner and group, and changed by its owner only.
  private mutating func checkKeyMode() {
    let key = "kafka.security.key_file"
    var status = stat()
    guard nodes[key] != nil, let path = configuration.kafka.security.keyFile,
      stat(path, &status) == 0, !Self.isStrict(status.st_mode)
    else { return }
    report(
      key,
      "\(path) is a private key and its mode is \(Self.octal(status.st_mode)); expected "
        + "0640 or stricter (chmod 0640), or better a systemd credential")
  }

  /// Read by others, written by the group or executable is what no secret is.
  private static func isStrict(_ mode: mode_t) -> Bool { mode & 0o137 == 0 }

  private static func octal(_ mode: mode_t) -> String { "0" + String(mode & 0o7777, radix: 8) }
}

/// The content of a systemd credential.
enum CredentialFile {
  struct Failure: Error { let message: String }

  /// Without one trailing newline, which `echo` and editors add and no password has.
  static func read(_ path: String) throws(Failure) -> Secret {
    let file: ConfigurationBytes
    do {
      file = try ConfigurationBytes.read(path)
    } catch {
      throw Failure(message: error.message)
    }
    var bytes = file.bytes
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self), !text.isEmpty,
      !bytes.contains(0)
    else { throw Failure(message: "is empty or not a text in UTF-8") }
    return Secret(text)
  }
}
