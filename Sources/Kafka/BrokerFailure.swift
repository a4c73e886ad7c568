/// librdkafka's reasons for a broken connection, in words for people.
///
/// The library writes "127.0.0.1:9/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection
/// refused (after 0ms in state CONNECT)"; an operator wants "127.0.0.1:9 refused the connection".
enum BrokerFailure {
  static func readable(_ reason: String) -> String {
    let bare = withoutStateNote(reason)
    guard let colon = bare.firstRange(of: ": ") else { return bare }
    let broker = brokerName(bare[..<colon.lowerBound])
    let rest = bare[colon.upperBound...]
    if rest.contains("Connection refused") { return "\(broker) refused the connection" }
    if rest.hasPrefix("Failed to resolve") {
      return "the name of \(broker) cannot be resolved: \(rest)"
    }
    if rest.contains("Disconnected") { return "\(broker) closed the connection: \(rest)" }
    if rest.contains("timed out") { return "\(broker) did not answer: \(rest)" }
    return "\(broker): \(rest)"
  }

  /// Without "(after 12ms in state CONNECT, 3 identical error(s) suppressed)".
  private static func withoutStateNote(_ reason: String) -> String {
    guard let note = reason.firstRange(of: " (after ") else { return reason }
    return String(reason[..<note.lowerBound])
  }

  /// "sasl_ssl://kafka:9093/bootstrap" or "kafka:9092/2": the host and port.
  private static func brokerName(_ text: Substring) -> Substring {
    var name = text
    if let scheme = name.firstRange(of: "://") { name = name[scheme.upperBound...] }
    if let slash = name.lastIndex(of: "/") { name = name[..<slash] }
    return name
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
