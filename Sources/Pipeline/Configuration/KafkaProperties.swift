/// From the configuration's words to librdkafka's.
extension KafkaSettings {
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
