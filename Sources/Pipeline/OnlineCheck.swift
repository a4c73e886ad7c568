internal import Kafka

/// What `--check-config --online` finds out: whether a run would get through to its first record.
///
/// Reads files and asks brokers; takes no lock, so it can be asked beside a running daemon.
package struct OnlineCheck: Sendable {
  /// What is as it should be, a fact a line.
  package private(set) var lines: [String] = []
  /// What a run would stop at.
  package private(set) var problems: [PipelineError] = []

  /// - Throws: `PipelineError` when the brokers or the files cannot be asked.
  package init(_ configuration: Configuration) throws(PipelineError) {
    let kafka = configuration.kafka
    let lag = try LagReport.ask(configuration, log: .silent)
    lines.append(
      "brokers    \(kafka.brokers.joined(separator: ", ")), \(kafka.security.summary), "
        + "by librdkafka \(KafkaLibrary.version.text)")
    lines.append("cluster    \(lag.clusterID ?? "without an id")")
    lines.append("topic      \(lag.topic), \(lag.partitions.count) partitions")
    lines += lag.partitions.map(\.summary)
    lines.append("to read    \(RunReport.grouped(lag.lag)) offsets")
    problems += lag.partitions.compactMap(\.problem)
    attempt { try Self.checkSource(configuration, clusterID: lag.clusterID) }
    checkDisk(configuration.storage)
  }

  private mutating func attempt(_ check: () throws -> Void) {
    do {
      try check()
    } catch {
      problems.append(.translating(error))
    }
  }

  private static func checkSource(_ configuration: Configuration, clusterID: String?) throws {
    guard let table = try StateReader(configuration).bronze else { return }
    try SourceIdentity.check(table, configuration, clusterID: clusterID)
  }

  private mutating func checkDisk(_ storage: StorageSettings) {
    let path = storage.stateDirectory
    guard let free = try? FreeSpace.bytes(at: path) else {
      lines.append("disk       \(path) is not there yet; the first start makes it")
      return
    }
    lines.append(
      "disk       \(path): \(RunReport.grouped(free)) bytes free, "
        + "storage.min_free is \(RunReport.grouped(storage.minFreeBytes))")
    attempt { try FreeSpace.check(storage, log: .silent) }
  }
}

extension LagReport.Partition {
  fileprivate var summary: String {
    let held = end.map { "holds \(beginning ?? 0) up to \($0)" } ?? "is not there"
    return "           \(partition): \(held), next is \(position), "
      + "\(RunReport.grouped(lag)) to read"
  }

  fileprivate var problem: PipelineError? {
    guard let code, let trouble else { return nil }
    return PipelineError(
      code, .source, trouble, remedy: "`shopmetricsctl lag` shows it; see shopmetricsd(8)")
  }
}

extension SecuritySettings {
  fileprivate var summary: String {
    switch securityProtocol {
    case .plaintext: "in clear text"
    case .ssl: certificateFile == nil ? "by TLS" : "by TLS with our certificate"
    case .saslPlaintext: "in clear text as \(username ?? "nobody") (\(mechanism.rawValue))"
    case .saslSSL: "by TLS as \(username ?? "nobody") (\(mechanism.rawValue))"
    }
  }
}
