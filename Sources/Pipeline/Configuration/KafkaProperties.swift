internal import Kafka

/// From the configuration's words to librdkafka's.
extension KafkaSettings {
  /// What an operator must know before the first run fails.
  package var warnings: [String] {
    guard [.saslSSL, .saslPlaintext].contains(security.securityProtocol) else { return [] }
    return KafkaLibrary.scramWarning(mechanism: security.mechanism.rawValue).map { [$0] } ?? []
  }

  /// Security and the pass-through table, as the client library takes them.
  package var clientProperties: [LibrdkafkaProperty] {
    let security = security
    var properties = [
      LibrdkafkaProperty(name: "security.protocol", value: security.securityProtocol.rawValue)
    ]
    func add(_ name: String, _ value: String?) {
      if let value { properties.append(LibrdkafkaProperty(name: name, value: value)) }
    }
    if [.saslPlaintext, .saslSSL].contains(security.securityProtocol) {
      add("sasl.mechanism", security.mechanism.rawValue)
      add("sasl.username", security.username)
      add("sasl.password", security.password?.exposedValue)
    }
    add("ssl.ca.location", security.caFile)
    add("ssl.certificate.location", security.certificateFile)
    add("ssl.key.location", security.keyFile)
    return properties + self.properties
  }
}
