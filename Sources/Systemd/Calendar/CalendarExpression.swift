/// A calendar event expression of systemd.time(7), such as `Mon..Fri *-*-* 08..18:00/15:00`.
///
/// Means what it means in a timer's `OnCalendar=`, with one exception: a time zone other than
/// `UTC` is refused, times are those of the machine or of the service's `TZ=`.
package struct CalendarExpression: Equatable, Sendable, CustomStringConvertible {
  /// As it was written.
  package let description: String
  /// Bit 0 is Monday.
  var weekdays: UInt8 = 0x7F
  var year = CalendarField.any
  var month = CalendarField.any
  var day = CalendarField.any
  /// Whether `day` counts from the month's end, 1 being its last day.
  var isDayFromEnd = false
  var hour = CalendarField.at(0)
  var minute = CalendarField.at(0)
  /// In microseconds.
  var second = CalendarField.at(0)
  var isUTC = false

  /// - Throws: a sentence that names the part which is not understood.
  package init(_ text: String) throws(CalendarExpressionError) {
    description = text
    var parser = CalendarParser(text)
    try parser.read(into: &self)
  }

  /// The first instant behind `instant` that the expression names, both in microseconds since
  /// 1970; `nil` when there is none until the end of 2199.
  ///
  /// A local time that the clock jumps over is passed by; one that comes twice counts once.
  package func next(after instant: Int64) -> Int64? {
    var from = CivilTime(instant: instant + 1, isUTC: isUTC)
    while let match = firstMatch(from: from) {
      let found = match.instant(after: instant, isUTC: isUTC)
      if found.isExact { return found.instant }
      let later = CivilTime(instant: found.instant, isUTC: isUTC)
      from = match < later ? later : match.microsecondLater
    }
    return nil
  }

  private func firstMatch(from: CivilTime) -> CivilTime? {
    var year = from.year
    while let found = self.year.first(from: year, through: CalendarParser.years.upperBound) {
      let match = firstMatch(inYear: found, from: found == from.year ? from : nil)
      if let match { return match }
      year = found + 1
    }
    return nil
  }

  private func firstMatch(inYear year: Int, from: CivilTime?) -> CivilTime? {
    var month = from?.month ?? 1
    while let found = self.month.first(from: month, through: 12) {
      let match = firstMatch(
        inMonth: found, of: year, from: found == from?.month ? from : nil)
      if let match { return match }
      month = found + 1
    }
    return nil
  }

  private func firstMatch(inMonth month: Int, of year: Int, from: CivilTime?) -> CivilTime? {
    let last = CivilTime.days(inMonth: month, of: year)
    let days = isDayFromEnd ? day.mirrored(lastDay: last) : day
    var day = from?.day ?? 1
    while let found = days.first(from: day, through: last) {
      var match = CivilTime(year: year, month: month, day: found)
      if weekdays & (1 << match.weekday) != 0,
        let time = firstTime(from: found == from?.day ? from : nil)
      {
        (match.hour, match.minute, match.microsecond) = time
        return match
      }
      day = found + 1
    }
    return nil
  }

  private func firstTime(from: CivilTime?) -> (hour: Int, minute: Int, microsecond: Int)? {
    var hour = from?.hour ?? 0
    while let found = self.hour.first(from: hour, through: 23) {
      var minute = found == from?.hour ? from?.minute ?? 0 : 0
      while let foundMinute = self.minute.first(from: minute, through: 59) {
        let isNow = found == from?.hour && foundMinute == from?.minute
        let microsecond = second.first(
          from: isNow ? from?.microsecond ?? 0 : 0, through: 59_999_999)
        if let microsecond { return (found, foundMinute, microsecond) }
        minute = foundMinute + 1
      }
      hour = found + 1
    }
    return nil
  }
}

/// Why a text is not a calendar expression.
package struct CalendarExpressionError: Error, Equatable, CustomStringConvertible {
  package let description: String
}
