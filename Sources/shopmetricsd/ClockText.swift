import Glibc

/// Times for people, in the machine's time zone.
enum ClockText {
  /// "11:55:00", `milliseconds` from now.
  static func timeOfDay(in milliseconds: Int64 = 0) -> String {
    var seconds = time(nil) + Int(milliseconds / 1000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return [parts.tm_hour, parts.tm_min, parts.tm_sec].map { number in
      number < 10 ? "0\(number)" : String(number)
    }.joined(separator: ":")
  }
}
