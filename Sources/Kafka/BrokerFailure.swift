/// librdkafka's reason for a broken connection, in words for people.
///
/// The library writes "127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection
/// refused (after 0ms in state CONNECT)"; an operator wants "127.0.0.1:9 refused the connection".
struct BrokerFailure: Equatable {
  var text: String
  /// Whether the two sides do not agree about TLS: a certificate, or that it is spoken at all.
  var isTLS = false

  /// - Parameters:
  ///   - isTLS: whether the library says so.
  ///   - certificates: those that were refused, by broker.
  init(
    _ reason: String, isTLS: Bool = false, certificates: [String: CertificateFault] = [:]
  ) {
    let bare = Self.withoutStateNote(reason)
    guard let colon = bare.firstRange(of: ": ") else {
      text = bare
      return
    }
    let broker = Self.brokerName(String(bare[..<colon.lowerBound]))
    let rest = bare[colon.upperBound...]
    if let fault = certificates[broker], rest.contains("certificate verify failed") {
      text = fault.text
      self.isTLS = true
    } else if let guess = Self.wrongProtocol(rest) {
      text = "\(broker) \(guess.text)"
      self.isTLS = guess.isTLS
    } else {
      text = Self.words(broker, rest)
      self.isTLS = isTLS || rest.contains("SSL routines")
    }
  }

  private static func words(_ broker: String, _ rest: Substring) -> String {
    if rest.contains("Connection refused") { return "\(broker) refused the connection" }
    if rest.hasPrefix("Failed to resolve") {
      return "the name of \(broker) cannot be resolved: \(rest)"
    }
    if rest.contains("Disconnected") { return "\(broker) closed the connection: \(rest)" }
    if rest.contains("timed out") { return "\(broker) did not answer: \(rest)" }
    return "\(broker): \(rest)"
  }

  // MARK: Another protocol than expected

  private static func wrongProtocol(_ rest: Substring) -> (text: String, isTLS: Bool)? {
    if let size = number(after: "Invalid response size ", in: rest) {
      return strangeAnswer(size).map { ($0, false) }
    }
    if rest.contains("while requesting ApiVersion") {
      return ("closed the connection at the first request: it seems to expect TLS", true)
    }
    if rest.contains("connecting to a PLAINTEXT broker") || isEndOfHandshake(rest) {
      return ("closed the connection in the TLS handshake: it seems to expect clear text", true)
    }
    if rest.contains("wrong version number") {
      return ("answered the TLS handshake in clear text", true)
    }
    if let alert = aboutOurCertificate(rest) {
      return ("wants a certificate of the client that it trusts (its TLS alert: \(alert))", true)
    }
    if rest.contains("might require SASL") {
      return ("closed the connection, as a broker also does that expects a SASL login", false)
    }
    return nil
  }

  /// The alert (RFC 8446, section 6.2) of a broker that looked for a certificate of the client.
  ///
  /// In OpenSSL's words: "error:0A000412:SSL routines::sslv3 alert bad certificate: SSL alert
  /// number 42".
  private static func aboutOurCertificate(_ rest: Substring) -> Substring? {
    guard let start = rest.firstRange(of: " alert ")?.upperBound else { return nil }
    let alert = rest[start...].prefix { $0 != ":" }
    let isOurs =
      alert.contains("certificate") || alert == "unknown ca" || alert == "handshake failure"
    return isOurs ? alert : nil
  }

  /// OpenSSL 3's words for a connection that was closed in the handshake: once as the library's
  /// queue of errors has it, once with what was being done.
  private static func isEndOfHandshake(_ rest: Substring) -> Bool {
    rest.contains("unexpected eof while reading")
      && (rest.hasPrefix("error:") || rest.hasPrefix("SSL handshake failed"))
  }

  /// What an answer's first four bytes are that are no plausible length of one.
  ///
  /// The library's advice, to allow longer answers, would make it read garbage for ever.
  private static func strangeAnswer(_ size: Int64) -> String? {
    let http: Int64 = 0x4854_5450
    if size == http { return "is a web server (it answered \"HTTP\"), not a broker" }
    return (1...1 << 30).contains(size)
      ? nil : "announced an answer of \(size) bytes: it does not speak Kafka's protocol"
  }

  private static func number(after prefix: String, in text: Substring) -> Int64? {
    guard let place = text.firstRange(of: prefix) else { return nil }
    return Int64(text[place.upperBound...].prefix { $0 == "-" || ("0"..."9").contains($0) })
  }

  // MARK: The library's frame around a reason

  /// Without "(after 12ms in state CONNECT, 3 identical error(s) suppressed)".
  private static func withoutStateNote(_ reason: String) -> String {
    guard let note = reason.firstRange(of: " (after ") else { return reason }
    return String(reason[..<note.lowerBound])
  }

  /// "sasl_ssl://kafka:9093/bootstrap" or "kafka:9092/2": the host and port.
  static func brokerName(_ text: String) -> String {
    var name = text[...]
    if let scheme = name.firstRange(of: "://") { name = name[scheme.upperBound...] }
    if let slash = name.lastIndex(of: "/") { name = name[..<slash] }
    return String(name)
  }
}

/// Why the TLS library did not accept a broker's certificate.
struct CertificateFault: Equatable {
  /// `host:port`.
  var broker: String
  var text: String

  /// - Parameters:
  ///   - error: of X509_STORE_CTX_get_error(3).
  ///   - depth: 0 is the broker's own certificate, above are those of authorities.
  ///   - certificate: in DER.
  init(broker: String, error: Int32, depth: Int32, certificate: UnsafeRawBufferPointer) {
    self.broker = broker
    let summary = CertificateSummary(certificate)
    let owner = depth == 0 ? "the certificate of \(broker)" : "an authority's certificate"
    let name = summary.map { " (\($0.subject), issued by \($0.issuer))" } ?? ""
    text = "\(owner)\(name) \(Self.words(error, summary))"
    if depth > 0 { text += ", in the chain of \(broker)" }
  }

  private static func words(_ error: Int32, _ summary: CertificateSummary?) -> String {
    switch error {
    case 9: "is not valid yet; is the clock right?"
    case 10: "has expired, its last day was \(summary?.lastDay ?? "unknown")"
    case 18, 19: "is signed by itself and not among the trusted ones"
    case 20, 21: "comes from an authority that is not trusted"
    case 23: "was revoked"
    case 62: "is for another host name"
    case 64: "is for another IP address"
    default: "is not acceptable (X.509 verification error \(error))"
    }
  }
}

extension StringProtocol {
  /// The first place of `pattern`, byte for byte; the standard library has it only with the
  /// regular-expression module, which this program does not otherwise need.
  func firstRange(of pattern: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(pattern) {
        return start..<index(start, offsetBy: pattern.count)
      }
      start = index(after: start)
    }
    return nil
  }
}
