internal import CRdKafka

/// How to reach the brokers, and how much memory reading may take.
package struct KafkaConfiguration: Sendable {
  /// `host:port`, at least one.
  package var brokers: [String]
  /// `client.id`: what the brokers' logs and quotas call this client.
  package var clientID: String
  /// librdkafka properties as the operator wrote them (security, tuning).
  ///
  /// Owned ones are refused.
  package var properties: [(name: String, value: String)]
  /// Memory in bytes for fetched but not yet read records, over all partitions, the library's own
  /// structures included.
  ///
  /// Each partition gets at least 1 MiB for records.
  package var queueBytes: Int
  /// Partitions expected by the caller; sizes the queues at once.
  ///
  /// 0: unknown.
  package var expectedPartitions: Int
  /// The consumer group that `KafkaConsumer.tellGroup` commits to; `nil` when none is told.
  package var group: String?
  /// Receives what librdkafka would print to standard error; called from its threads.
  package var log: (@Sendable (KafkaLogLine) -> Void)?

  package init(
    brokers: [String], clientID: String = "shopmetricsd",
    properties: [(name: String, value: String)] = [], queueBytes: Int = 32 << 20,
    expectedPartitions: Int = 0, group: String? = nil,
    log: (@Sendable (KafkaLogLine) -> Void)? = nil
  ) {
    self.brokers = brokers
    self.clientID = clientID
    self.properties = properties
    self.queueBytes = queueBytes
    self.expectedPartitions = expectedPartitions
    self.group = group
    self.log = log
  }

  /// Properties that are part of the promise (exactly once, bounded memory) or have a key of their
  /// own in the configuration; each with the reason an operator reads when one is refused.
  package static let ownedProperties: [String: String] = [
    "bootstrap.servers": "the brokers have their own key",
    "metadata.broker.list": "the brokers have their own key",
    "client.id": "the client id has its own key",
    "group.id": "offsets live in the checkpoint, not in a consumer group",
    "group.instance.id": "offsets live in the checkpoint, not in a consumer group",
    "group.protocol": "offsets live in the checkpoint, not in a consumer group",
    "transactional.id": "the daemon only reads",
    "check.crcs": "always true: a flipped bit must not become data",
    "auto.offset.reset": "always error: a missing offset must never move the position silently",
    "enable.partition.eof": "always true: a run ends at the end of each partition",
    "enable.auto.commit": "always false: offsets live in the checkpoint",
    "auto.commit.enable": "always false: offsets live in the checkpoint",
    "auto.commit.interval.ms": "offsets live in the checkpoint",
    "enable.auto.offset.store": "always false: offsets live in the checkpoint",
    "offset.store.method": "offsets live in the checkpoint",
    "offset.store.path": "offsets live in the checkpoint",
    "isolation.level": "always read_committed: aborted transactions are not data",
    "queued.max.messages.kbytes": "derived from the queue size of the configuration",
    "fetch.queue.backoff.ms": "set to the value that keeps the fetcher awake",
    "allow.auto.create.topics": "always false: a missing topic is an error that names it",
    "enabled_events": "the program handles the library's events itself",
    "log.queue": "the program handles the library's log itself",
    "plugin.library.paths": "the daemon loads no foreign code",
    "test.mock.num.brokers": "only for tests",
  ]

  /// Why a pass-through property cannot be used; nil when it can.
  ///
  /// Asks the linked library itself, so a newer librdkafka brings its newer properties.
  package static func problem(withProperty name: String, value: String) -> String? {
    if let reason = ownedProperties[name] {
      return "librdkafka property \(name) is owned by this program: \(reason)"
    }
    let scratch = rd_kafka_conf_new()
    defer { rd_kafka_conf_destroy(scratch) }
    return setProperty(scratch, name, value)
  }
}

/// One line that librdkafka logged.
package struct KafkaLogLine: Sendable {
  /// syslog(3) level, 0 emergency to 7 debug.
  package var level: Int32
  /// librdkafka's facility, for example "FAIL" or "CONFWARN".
  package var facility: String
  package var message: String
}

/// Sets one property; the text says what is wrong with it.
func setProperty(_ configuration: OpaquePointer?, _ name: String, _ value: String) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
    let result = rd_kafka_conf_set(
      configuration, name, value, buffer.baseAddress, buffer.count)
    guard result != RD_KAFKA_CONF_OK else { return nil }
    return text(buffer.baseAddress)
  }
}
