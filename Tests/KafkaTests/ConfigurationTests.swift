import Testing

@testable import Kafka

@Suite struct `Settings of the Kafka client` {
  @Test(arguments: KafkaConfiguration.ownedProperties.keys.sorted())
  func `an owned property is refused by its name`(name: String) throws {
    let configuration = KafkaConfiguration(
      brokers: ["127.0.0.1:9"], properties: [(name, "1")])
    #expect {
      try KafkaConsumer.open(configuration, topic: "t", timeout: .seconds(1))
    } throws: { error in
      let error = error as? KafkaError
      return error?.name == KafkaError.Name.badProperty && error?.message.contains(name) == true
    }
    #expect(KafkaConfiguration.problem(withProperty: name, value: "1")?.contains(name) == true)
  }

  @Test func `the library judges the names and values of other properties`() {
    #expect(KafkaConfiguration.problem(withProperty: "socket.timeout.ms", value: "5000") == nil)
    #expect(
      KafkaConfiguration.problem(withProperty: "socket.timeout.msec", value: "5")?
        .contains("socket.timeout.msec") == true)
    #expect(
      KafkaConfiguration.problem(withProperty: "socket.timeout.ms", value: "soon")?
        .contains("socket.timeout.ms") == true)
  }

  @Test func `SCRAM with a library that cannot do it is told`() throws {
    let debian12 = try #require(
      KafkaLibrary.scramWarning(mechanism: "SCRAM-SHA-256", libraryVersion: 0x0200_02ff))
    #expect(debian12.contains("2.0.2"))
    #expect(debian12.contains("2.6.1"))
    #expect(
      KafkaLibrary.scramWarning(mechanism: "scram-sha-512", libraryVersion: 0x0203_00ff) != nil)
    #expect(
      KafkaLibrary.scramWarning(mechanism: "SCRAM-SHA-256", libraryVersion: 0x0206_01ff) == nil)
    #expect(KafkaLibrary.scramWarning(mechanism: "PLAIN", libraryVersion: 0x0200_02ff) == nil)
  }

  @Test(arguments: [
    (
      "127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused (after 0ms "
        + "in state CONNECT)", "127.0.0.1:9 refused the connection"
    ),
    (
      "sasl_ssl://kafka-1:9093/1: Connect to ipv4#10.0.0.1:9093 failed: Connection refused (after "
        + "2ms in state CONNECT, 5 identical error(s) suppressed)",
      "kafka-1:9093 refused the connection"
    ),
    (
      "nowhere:9092/bootstrap: Failed to resolve 'nowhere:9092': Name or service not known (after "
        + "3ms in state CONNECT)",
      "the name of nowhere:9092 cannot be resolved: Failed to resolve 'nowhere:9092': Name or "
        + "service not known"
    ),
    ("1/1 brokers are down", "1/1 brokers are down"),
    ("", ""),
  ])
  func `reasons of the library are put into words for people`(raw: String, readable: String) {
    #expect(BrokerFailure(raw).text == readable)
  }

  @Test(arguments: [
    ([UInt8](), ""), ([0x66], "Zg=="), ([0x66, 0x6f], "Zm8="), ([0x66, 0x6f, 0x6f], "Zm9v"),
    ([0x66, 0x6f, 0x6f, 0x62, 0x61, 0x72], "Zm9vYmFy"), ([0xff, 0xfe, 0xfd], "//79"),
  ])
  func `header values are in Base64, as in the vectors of RFC 4648`(bytes: [UInt8], text: String) {
    var out: [UInt8] = []
    bytes.withUnsafeBytes { HeadersJSON.appendBase64($0, to: &out) }
    #expect(String(decoding: out, as: UTF8.self) == text)
  }

  @Test func `durations fit into the milliseconds of a C int`() {
    #expect(Duration.zero.wholeMilliseconds == 0)
    #expect(Duration.nanoseconds(1).wholeMilliseconds == 1)
    #expect(Duration.milliseconds(1500).wholeMilliseconds == 1500)
    #expect(Duration.seconds(-5).wholeMilliseconds == 0)
    #expect(Duration.seconds(Int64.max / 2).wholeMilliseconds == 2_000_000_000)
  }
}
