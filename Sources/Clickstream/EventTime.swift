/// The form of `event_ts`: a profile of RFC 3339 with a mandatory zone.
///
/// `YYYY-MM-DDTHH:MM:SS` (or a space for the T), 1 to 9 fraction digits or none (cut to
/// microseconds), then `Z` or `±HH:MM` with hours to 23 and minutes to 59. The years are 0001 to
/// 9999, as written and in UTC: an offset that moves the instant out of them makes it a bad
/// timestamp, because no reader of the tables could show it. No leap seconds, no 24:00.
package enum EventTime {
  private static let earliest: Int64 = -62_135_596_800_000_000
  private static let latest: Int64 = 253_402_300_799_999_999
  /// The instants that an event may have: the years 1 to 9999, microseconds since 1970.
  package static var instants: ClosedRange<Int64> { earliest...latest }
  private static let microsecondsPerSecond: Int64 = 1_000_000

  /// The instant in microseconds since 1970-01-01T00:00:00Z; nil for another form or a date that
  /// does not exist.
  package static func parse(_ text: UnsafeRawBufferPointer) -> Int64? {
    guard text.count >= 20, let base = text.baseAddress,
      let seconds = civilSeconds(base)
    else { return nil }
    var rest = Rest(bytes: base.assumingMemoryBound(to: UInt8.self), count: text.count, next: 19)
    guard let fraction = rest.fraction(), let offset = rest.zone() else { return nil }
    let instant = (seconds - offset) * microsecondsPerSecond + fraction
    return instant >= earliest && instant <= latest ? instant : nil
  }

  /// The first 19 bytes as seconds since 1970, taken as UTC.
  ///
  /// Eight bytes at a time: exclusive-or with a template leaves digits 0 to 9 and separators 0, and
  /// one addition carries into the top bit of each byte that is more than that.
  @inline(__always)
  private static func civilSeconds(_ text: UnsafeRawPointer) -> Int64? {
    let date = word(text) ^ 0x2D30_302D_3030_3030  // 0000-00-
    let time = word(text + 8) ^ 0x3030_3A30_3054_3030  // 00T00:00
    let tail = word(text + 11) ^ 0x3030_3A30_303A_3030  // 00:00:00
    // A space for the T leaves 0x74 there; take that away and check the byte as a separator.
    let separated = time & 0xFF_0000 == 0x74_0000 ? time & ~0xFF_0000 : time
    let excess =
      date | (date &+ 0x7F76_767F_7676_7676) | separated | (separated &+ 0x7676_7F76_767F_7676)
      | tail | (tail &+ 0x7676_7F76_767F_7676)
    guard excess & 0x8080_8080_8080_8080 == 0 else { return nil }
    return seconds(
      year: pair(date, 0) * 100 + pair(date, 2), month: pair(date, 5), day: pair(separated, 0),
      hour: pair(tail, 0), minute: pair(tail, 3), second: pair(tail, 6))
  }

  @inline(__always)
  private static func word(_ text: UnsafeRawPointer) -> UInt64 {
    text.loadUnaligned(as: UInt64.self).littleEndian
  }

  /// The number of the two digits at bytes `index` and `index + 1`.
  @inline(__always)
  private static func pair(_ word: UInt64, _ index: UInt64) -> Int64 {
    let digits = word >> (index * 8)
    return Int64((digits & 0xFF) * 10 + (digits >> 8) & 0xFF)
  }

  @inline(__always)
  private static func seconds(
    year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64
  ) -> Int64? {
    guard year >= 1, month >= 1, month <= 12, day >= 1, hour <= 23, minute <= 59, second <= 59,
      day <= 28 || day <= daysInMonth(year: year, month: month)
    else { return nil }
    return ((days(year: year, month: month, day: day) * 24 + hour) * 60 + minute) * 60 + second
  }

  private static func daysInMonth(year: Int64, month: Int64) -> Int64 {
    switch month {
    case 4, 6, 9, 11: 30
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    default: 31
    }
  }

  /// Days since 1970-01-01 in the proleptic Gregorian calendar, for years from 1.
  ///
  /// The year starts in March, so that the leap day is its last and month lengths are a formula.
  @inline(__always)
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = UInt64(month <= 2 ? year - 1 : year)
    let marchMonth = UInt64(month <= 2 ? month + 9 : month - 3)
    let leapDays = marchYear / 4 - marchYear / 100 + marchYear / 400
    let dayOfYear = (153 * marchMonth + 2) / 5 + UInt64(day) - 1
    return Int64(marchYear * 365 + leapDays + dayOfYear) - 719_468
  }

  /// What follows the seconds.
  private struct Rest {
    let bytes: UnsafePointer<UInt8>
    let count: Int
    var next: Int

    /// The fraction in microseconds; 0 without one, nil for a point without 1 to 9 digits.
    @inline(__always)
    mutating func fraction() -> Int64? {
      guard bytes[next] == 0x2E else { return 0 }
      next += 1
      let start = next
      var value: Int64 = 0
      while next < count, bytes[next] &- 0x30 <= 9 {
        if next - start < 6 { value = value * 10 + Int64(bytes[next] &- 0x30) }
        next += 1
      }
      let digits = next - start
      guard digits >= 1, digits <= 9 else { return nil }
      for _ in min(digits, 6)..<6 { value *= 10 }
      return value
    }

    /// The zone, which must end the text, in seconds east of UTC.
    @inline(__always)
    func zone() -> Int64? {
      guard next < count else { return nil }
      switch bytes[next] {
      case 0x5A: return next + 1 == count ? 0 : nil
      case 0x2B: return offset()
      case 0x2D: return offset().map { -$0 }
      default: return nil
      }
    }

    @inline(__always)
    private func offset() -> Int64? {
      guard next + 6 == count, bytes[next + 3] == 0x3A,
        let hours = pair(next + 1), hours <= 23, let minutes = pair(next + 4), minutes <= 59
      else { return nil }
      return (hours * 60 + minutes) * 60
    }

    @inline(__always)
    private func pair(_ index: Int) -> Int64? {
      let (high, low) = (bytes[index] &- 0x30, bytes[index + 1] &- 0x30)
      return high <= 9 && low <= 9 ? Int64(high) * 10 + Int64(low) : nil
    }
  }
}

extension EventTime {
  /// The instant as `2026-01-31T10:00:00.000000Z`; years outside 0 to 9999 keep a sign and as many
  /// digits as they need.
  package static func format(_ microseconds: Int64) -> String {
    let (seconds, fraction) = flooredDivision(microseconds, microsecondsPerSecond)
    let (days, second) = flooredDivision(seconds, 86_400)
    let (year, month, day) = civil(days)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let time =
      "\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    return "\(date)T\(time).\(padded(fraction, 6))Z"
  }

  private static func flooredDivision(_ value: Int64, _ by: Int64) -> (Int64, Int64) {
    let remainder = value % by
    let floored = remainder < 0 ? remainder + by : remainder
    return (value / by - (remainder < 0 ? 1 : 0), floored)
  }

  /// The inverse of `days(year:month:day:)`, for any day (Hinnant's `civil_from_days`).
  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = flooredDivision(days + 719_468, 146_097)
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count))
      + digits
  }
}
