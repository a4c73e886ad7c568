import Glibc

/// Times for people, in the machine's time zone.
package enum ClockText {
  /// "11:55:00", of milliseconds since 1970.
  package static func timeOfDay(_ milliseconds: Int64) -> String {
    let parts = local(milliseconds)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map(padded).joined(separator: ":")
  }

  /// "2026-11-24 11:55:00".
  package static func dateAndTime(_ milliseconds: Int64) -> String {
    let parts = local(milliseconds)
    let date = [padded(parts.tm_mon + 1), padded(parts.tm_mday)].joined(separator: "-")
    return "\(Int64(parts.tm_year) + 1900)-\(date) \(timeOfDay(milliseconds))"
  }

  /// A span in its two largest units: "42 s", "4 min 2 s", "2 h 41 min", "3 d 4 h".
  package static func span(_ milliseconds: Int64) -> String {
    let seconds = max(0, milliseconds) / 1000
    let units: [(name: String, seconds: Int64)] = [
      ("d", 86_400), ("h", 3600), ("min", 60), ("s", 1),
    ]
    let first = units.firstIndex { seconds >= $0.seconds } ?? units.count - 1
    var rest = seconds
    var words: [String] = []
    for unit in units[first...].prefix(2) {
      let count = rest / unit.seconds
      rest %= unit.seconds
      if count > 0 || words.isEmpty { words.append("\(count) \(unit.name)") }
    }
    return words.joined(separator: " ")
  }

  private static func local(_ milliseconds: Int64) -> tm {
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return parts
  }

  private static func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
