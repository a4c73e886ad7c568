/// Values as Delta statistics write them (Delta protocol, "Per-file Statistics").
package enum StatisticsText {
  /// How much of a string is kept.
  private static let stringPrefix = 32

  /// A lower bound of a string: its first 32 code points.
  static func minimum(of bytes: [UInt8]) -> String {
    var unicode = String.UnicodeScalarView()
    let start = String(decoding: bytes.prefix(4 * stringPrefix), as: UTF8.self)
    unicode.append(contentsOf: start.unicodeScalars.prefix(stringPrefix))
    return String(unicode)
  }

  /// An upper bound of a string, in the order of its UTF-8 bytes: itself, or a prefix of at least
  /// 32 UTF-16 units and a character after every one that may have followed.
  ///
  /// Where such a character does not exist within 64 units the bound is left out.
  static func maximum(of bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes.prefix(4 * (2 * stringPrefix + 1)), as: UTF8.self)
    var kept = String.UnicodeScalarView()
    var units = 0
    for scalar in text.unicodeScalars {
      if units >= stringPrefix {
        guard units <= 2 * stringPrefix else { return nil }
        if scalar.value < 0x7F { return String(kept) + "\u{7F}" }
        if scalar.value < 0x10_FFFF { return String(kept) + "\u{10FFFF}" }
      }
      kept.append(scalar)
      units += scalar.value > 0xFFFF ? 2 : 1
    }
    return String(kept)
  }

  /// A date as `2026-01-31`; nil outside of the years 1 to 9999.
  static func date(daysSinceEpoch days: Int64) -> String? {
    guard (-719_162...2_932_896).contains(days) else { return nil }
    let civil = CivilDate(daysSinceEpoch: days)
    return "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))"
  }

  /// An instant as `2026-01-31T10:00:00.000Z`, cut to milliseconds; readers allow for the cut.
  package static func timestamp(microseconds: Int64) -> String? {
    let milliseconds = floorDivide(microseconds, 1000)
    let days = floorDivide(milliseconds, 86_400_000)
    guard let date = date(daysSinceEpoch: days) else { return nil }
    let rest = milliseconds - days * 86_400_000
    let time = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { padded($0, 2) }
    return "\(date)T\(time.joined(separator: ":")).\(padded(rest % 1000, 3))Z"
  }

  /// A decimal of the given scale, as `-12.30`.
  static func decimal(_ unscaled: Int64, scale: Int) -> String {
    guard scale > 0 else { return String(unscaled) }
    let digits = String(unscaled.magnitude)
    let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    let sign = unscaled < 0 ? "-" : ""
    return "\(sign)\(padded.dropLast(scale)).\(padded.suffix(scale))"
  }

  private static func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}

/// A date of the proleptic Gregorian calendar.
private struct CivilDate {
  let year: Int64
  let month: Int64
  let day: Int64

  /// Counts in eras of 400 years that begin on the first of March, so that the leap day is last.
  init(daysSinceEpoch days: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}
