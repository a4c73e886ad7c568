import Foundation
import Testing

@testable import Kafka

@Suite struct `Certificates of brokers` {
  /// Its own issuer: `openssl req -x509 -newkey ed25519 -nodes -subj /O=Shop/CN=kafka-1`.
  private static let certificate =
    Data(
      base64Encoded:
        "MIIBWTCCAQugAwIBAgIUfI7GtkGD5B0U4OrBCLxlXvgJnQowBQYDK2VwMCExDTALBgNVBAoMBFNob3AxEDAO"
        + "BgNVBAMMB2thZmthLTEwIBcNMjYxMTI0MTYzMjE5WhgPMjA1NDA0MTExNjMyMTlaMCExDTALBgNVBAoMBFNo"
        + "b3AxEDAOBgNVBAMMB2thZmthLTEwKjAFBgMrZXADIQDREl09HY1vX+sBlS38EDcexmmlJ3pyN9+DDG08ANbx"
        + "hqNTMFEwHQYDVR0OBBYEFEaO3h1hTW9nHuMmGP9Mkyi8BgwYMB8GA1UdIwQYMBaAFEaO3h1hTW9nHuMmGP9M"
        + "kyi8BgwYMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EAClE6AfqyyhP12Hahcb0sGI1mT0EO9SHZmu9m4HYR"
        + "VUPXWjgSGIeAJVeYqqKyWdEjVwiwTFnKNpCJT1ivo5mrCA==") ?? Data()

  private func summary(_ bytes: Data) -> CertificateSummary? {
    bytes.withUnsafeBytes { CertificateSummary($0) }
  }

  @Test func `names and the last day are read`() throws {
    let read = try #require(summary(Self.certificate))
    #expect(read.subject == "CN=kafka-1")
    #expect(read.issuer == "CN=kafka-1")
    #expect(read.lastDay == "2054-04-11")
  }

  @Test func `no damage of any byte and no cut does harm`() {
    for place in Self.certificate.indices {
      for value in [UInt8(0), 0x7f, 0x80, 0x84, 0xff] {
        var damaged = Self.certificate
        damaged[place] = value
        let text = summary(damaged).map { $0.subject + $0.issuer + $0.lastDay } ?? ""
        #expect(text.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
      }
      _ = summary(Self.certificate.prefix(place))
    }
    #expect(summary(Self.certificate.prefix(20)) == nil)
  }

  @Test(arguments: [
    (Int32(10), Int32(0), "the certificate of kafka:9093 (CN=kafka-1, issued by CN=kafka-1) has"),
    (62, 0, "is for another host name"),
    (19, 1, "not among the trusted ones, in the chain of kafka:9093"),
    (1234, 0, "X.509 verification error 1234"),
  ])
  func `a refusal says which certificate and why`(error: Int32, depth: Int32, words: String) {
    let fault = Self.certificate.withUnsafeBytes {
      CertificateFault(broker: "kafka:9093", error: error, depth: depth, certificate: $0)
    }
    #expect(fault.text.contains(words))
  }
}
