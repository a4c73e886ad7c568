import Glibc

/// Year to microsecond, as calendars and clocks on walls show them.
struct CivilTime: Equatable, Comparable {
  var year: Int
  var month: Int
  var day: Int
  var hour = 0
  var minute = 0
  /// Of the minute.
  var microsecond = 0

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// What clocks show at `instant`, microseconds since 1970.
  init(instant: Int64, isUTC: Bool) {
    let fraction = ((instant % 1_000_000) + 1_000_000) % 1_000_000
    var seconds = time_t((instant - fraction) / 1_000_000)
    var parts = tm()
    if isUTC { gmtime_r(&seconds, &parts) } else { localtime_r(&seconds, &parts) }
    self.init(parts)
    microsecond += Int(fraction)
  }

  private init(_ parts: tm) {
    self.init(
      year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday))
    hour = Int(parts.tm_hour)
    minute = Int(parts.tm_min)
    microsecond = Int(parts.tm_sec) * 1_000_000
  }

  /// The first instant behind `other` at which clocks show this.
  ///
  /// - Returns: not exact, and another instant near it, when there is none.
  func instant(after other: Int64, isUTC: Bool) -> (instant: Int64, isExact: Bool) {
    // Clocks that are put back show summer time first.
    for isSummerTime in [Int32(1), 0] {
      let found = instant(isUTC: isUTC, isSummerTime: isSummerTime)
      if found.isExact, found.instant > other { return found }
    }
    return (instant(isUTC: isUTC, isSummerTime: -1).instant, false)
  }

  private func instant(isUTC: Bool, isSummerTime: Int32) -> (instant: Int64, isExact: Bool) {
    var parts = tm()
    parts.tm_year = Int32(year - 1900)
    parts.tm_mon = Int32(month - 1)
    parts.tm_mday = Int32(day)
    parts.tm_hour = Int32(hour)
    parts.tm_min = Int32(minute)
    parts.tm_sec = Int32(microsecond / 1_000_000)
    parts.tm_isdst = isUTC ? 0 : isSummerTime
    let seconds = isUTC ? timegm(&parts) : mktime(&parts)
    var shown = CivilTime(parts)
    shown.microsecond += microsecond % 1_000_000
    return (Int64(seconds) * 1_000_000 + Int64(microsecond % 1_000_000), shown == self)
  }

  /// 0 is Monday.
  var weekday: Int {
    // Days since 1970-01-01, a Thursday: the sum of whole years, their leap days and months.
    let shifted = month > 2 ? year : year - 1
    let months = (153 * ((month + 9) % 12) + 2) / 5
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + months + day - 719_469
    return ((days + 3) % 7 + 7) % 7
  }

  static func days(inMonth month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Only for the next look: 59.999999 becomes 60, which no expression names.
  var microsecondLater: CivilTime {
    var later = self
    later.microsecond += 1
    return later
  }

  static func < (left: CivilTime, right: CivilTime) -> Bool {
    let before = (left.year, left.month, left.day)
    let after = (right.year, right.month, right.day)
    guard before == after else { return before < after }
    return (left.hour, left.minute, left.microsecond)
      < (right.hour, right.minute, right.microsecond)
  }
}
