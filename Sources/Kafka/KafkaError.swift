package import CRdKafka

/// What went wrong between this program and Kafka.
///
/// `code` and `name` are librdkafka's where the library reported the problem ("_TRANSPORT",
/// "NOT_LEADER_FOR_PARTITION"). Problems that this module finds itself have code 0 and one of the
/// names in `Name`. A thrown error never means that something was written anywhere.
package struct KafkaError: Error, Equatable, Sendable {
  /// librdkafka's error number (negative: local; positive: Kafka protocol); 0 for our own checks.
  package var code: Int32
  /// Short stable name, for logs and for tests.
  package var name: String
  /// A sentence for people: what, where, found and expected.
  package var message: String
  /// The client is unusable; only a new one helps.
  package var isFatal = false
  /// The same call may succeed later without anybody changing anything.
  package var isRetriable = false
  package var topic: String?
  package var partition: Int32?
  /// The offset at which reading stopped, where one is known.
  package var offset: Int64?

  /// Names of the problems that this module detects itself.
  package enum Name {
    /// The brokers do not know the topic.
    package static let topicMissing = "TOPIC_MISSING"
    /// An offset came that is not above the one before: records were lost or repeated on the way.
    package static let offsetNotRising = "OFFSET_NOT_RISING"
    /// The broker no longer (or not yet) has the asked offset.
    package static let offsetOutOfRange = "OFFSET_OUT_OF_RANGE"
    /// A message arrived where none may arrive: the per-partition queues are not in force.
    package static let misrouted = "MESSAGE_MISROUTED"
    /// A record that was read before is another one now.
    package static let recordChanged = "RECORD_CHANGED"
    /// The two sides do not agree about TLS: a certificate, or that it is spoken at all.
    package static let tls = "TLS"
    /// A librdkafka property is unknown, has a bad value, or belongs to this program.
    package static let badProperty = "BAD_PROPERTY"
    /// Messages handed to the producer were not accepted by the brokers.
    package static let deliveryFailed = "DELIVERY_FAILED"
    /// A system resource (event descriptor, thread) could not be had.
    package static let system = "SYSTEM"
  }

  /// A problem found by this module.
  package init(
    _ name: String, _ message: String, isRetriable: Bool = false, topic: String? = nil,
    partition: Int32? = nil, offset: Int64? = nil
  ) {
    code = 0
    self.name = name
    self.message = message
    self.isRetriable = isRetriable
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }

  /// A problem reported by librdkafka.
  ///
  /// `doing` starts the sentence; `detail` is the library's text.
  package init(
    library error: rd_kafka_resp_err_t, doing: String, detail: String? = nil,
    topic: String? = nil, partition: Int32? = nil, offset: Int64? = nil
  ) {
    code = error.rawValue
    name = text(rd_kafka_err2name(error))
    message = "\(doing): \(detail ?? text(rd_kafka_err2str(error))) (\(name))"
    isFatal = error == RD_KAFKA_RESP_ERR__FATAL
    isRetriable = KafkaError.isRetriable(error)
    self.topic = topic
    self.partition = partition
    self.offset = offset
  }

  /// The offset that the checkpoint needs is gone (retention) or not there yet (truncation).
  package var isOffsetOutOfRange: Bool { name == Name.offsetOutOfRange && offset != nil }

  /// A partition's records were served, and are not what records may be.
  package var isAboutRecords: Bool {
    guard partition != nil, offset != nil, !isOffsetOutOfRange, !isRetriable else { return false }
    let error = rd_kafka_resp_err_t(code)
    return !KafkaError.isFromBroker(error) || KafkaError.brokenRecords.contains(error)
  }

  /// What a broker's own check of its records found.
  private static let brokenRecords: [rd_kafka_resp_err_t] = [
    RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE,
    RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE,
  ]

  /// The protocol's codes, -1 for "unknown" included; the library's own start far below.
  private static func isFromBroker(_ error: rd_kafka_resp_err_t) -> Bool {
    error.rawValue >= RD_KAFKA_RESP_ERR_UNKNOWN.rawValue
      && error != RD_KAFKA_RESP_ERR_NO_ERROR
  }

  /// A broker's answer to a fetch that says nothing about records, and may be another next time.
  static func isRefusalForNow(_ error: rd_kafka_resp_err_t) -> Bool {
    isFromBroker(error) && error != RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
      && !brokenRecords.contains(error) && !authorization.contains(error)
      && error != RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION
  }

  /// The brokers do not believe who we are: waiting does not help.
  package var isAuthentication: Bool {
    KafkaError.authentication.contains(rd_kafka_resp_err_t(code))
  }

  /// The brokers know who we are and do not let us: waiting does not help.
  package var isAuthorization: Bool {
    KafkaError.authorization.contains(rd_kafka_resp_err_t(code))
  }

  static let authentication: [rd_kafka_resp_err_t] = [
    RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
    RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE,
  ]

  static let authorization: [rd_kafka_resp_err_t] = [
    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
  ]

  /// The classes of the Kafka protocol's own table ("retriable"), and the library's local ones
  /// that a connection which comes back cures.
  static func isRetriable(_ error: rd_kafka_resp_err_t) -> Bool {
    switch error {
    case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
      RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
      RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__RESOLVE,
      RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__WAIT_COORD,
      RD_KAFKA_RESP_ERR__QUEUE_FULL,
      RD_KAFKA_RESP_ERR__OUTDATED, RD_KAFKA_RESP_ERR__IN_PROGRESS, RD_KAFKA_RESP_ERR__RETRY,
      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
      RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
      RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED:
      true
    default:
      false
    }
  }
}

extension KafkaError: CustomStringConvertible {
  package var description: String { message }
}

/// A C string of librdkafka; the library never returns NULL where this is used, but a NULL from a
/// foreign library must not be a crash.
func text(_ cString: UnsafePointer<CChar>?) -> String {
  cString.map { String(cString: $0) } ?? ""
}
