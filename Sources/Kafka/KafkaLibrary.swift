internal import CRdKafka

/// The librdkafka that this process is linked with (dynamically: it can be newer than the headers).
package enum KafkaLibrary {
  /// For example `("2.0.2", 0x020002ff)`: major, minor, revision, and ff for a final release.
  package static var version: (text: String, number: UInt32) {
    (text(rd_kafka_version_str()), UInt32(bitPattern: rd_kafka_version()))
  }

  /// Whether the library knows `fetch.queue.backoff.ms` (2.2 and later).
  static let hasFetchBackoff: Bool = {
    let scratch = rd_kafka_conf_new()
    defer { rd_kafka_conf_destroy(scratch) }
    return setProperty(scratch, "fetch.queue.backoff.ms", "1") == nil
  }()

  /// The first version that sends the SCRAM client nonce once (librdkafka pull request 4895).
  static let firstWithWorkingSCRAM: UInt32 = 0x0206_01ff

  /// What an operator must know before trying SCRAM with an old library, nil when all is well.
  ///
  /// Kafka 4 and patched 3.x answer "invalid credentials" to such a client although the password
  /// is right, so the configuration check and the authentication error both name the facts.
  package static func scramWarning(
    mechanism: String, libraryVersion: UInt32 = version.number
  ) -> String? {
    guard mechanism.uppercased().hasPrefix("SCRAM-"), libraryVersion < firstWithWorkingSCRAM else {
      return nil
    }
    return """
      librdkafka \(versionText(libraryVersion)) cannot log in with \(mechanism) to Kafka 4 (and \
      patched 3.x): it sends the client nonce twice, and the broker answers "invalid credentials" \
      although the password is right. Use librdkafka 2.6.1 or newer (it is linked dynamically; no \
      rebuild is needed), or SASL PLAIN over TLS, or client certificates.
      """
  }

  private static func versionText(_ number: UInt32) -> String {
    "\(number >> 24).\(number >> 16 & 0xff).\(number >> 8 & 0xff)"
  }
}
