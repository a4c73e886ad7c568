import JSON

/// What the `stats` of an `add` state about its rows (Delta protocol, "Per-file Statistics").
///
/// Statistics are an aid: what is absent or makes no sense bounds nothing, so that a caller reads
/// the file instead of missing its rows.
public struct FileBounds: Sendable {
  /// The rows of the file; nil when not stated.
  public let rowCount: Int64?
  private let minimums: JSONObject
  private let maximums: JSONObject

  /// - Parameter stats: the JSON text of `AddFile.stats`.
  public init(stats: String?) {
    let object = stats.flatMap { try? JSONValue.parse($0) }?.objectValue
    rowCount = object?.int64("numRecords").flatMap { $0 >= 0 ? $0 : nil }
    minimums = object?.object("minValues") ?? JSONObject()
    maximums = object?.object("maxValues") ?? JSONObject()
  }

  /// The instants of a `timestamp` column, microseconds since 1970, both ends included.
  ///
  /// Writers cut instants to milliseconds, so the upper bound is raised to the last microsecond
  /// that may have been cut to it. A bound that is not stated, or in a form that is not an instant,
  /// is `Int64.min` or `Int64.max`.
  public func timestamps(_ column: String) -> ClosedRange<Int64> {
    let low = minimums.string(column).flatMap(InstantText.microseconds) ?? .min
    let high = maximums.string(column).flatMap(InstantText.microseconds).map { $0 + 999 } ?? .max
    return low <= high ? low...high : .min ... .max
  }
}

/// Instants as ISO 8601 texts, as Spark (`2026-01-31T10:00:00.000+01:00`), delta-rs (`…Z`) and we
/// write them.
private struct InstantText {
  private var rest: Substring.UTF8View

  private init(_ text: String) { rest = text[...].utf8 }

  /// Microseconds since 1970; nil for another form, a day that does not exist, or no zone: without
  /// one the instant is not known.
  static func microseconds(_ text: String) -> Int64? {
    var parser = InstantText(text)
    return parser.instant()
  }

  private mutating func instant() -> Int64? {
    guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2),
      take("T") || take(" "), let hour = number(2), take(":"), let minute = number(2), take(":"),
      let second = number(2), let fraction = fraction(), let offset = zone(), rest.isEmpty
    else { return nil }
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60
    else { return nil }
    let days = Self.days(year, month, day)
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds * 1_000_000 + fraction
  }

  private mutating func number(_ digits: Int) -> Int64? {
    guard rest.count >= digits else { return nil }
    var value: Int64 = 0
    for byte in rest.prefix(digits) {
      guard (0x30...0x39).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - 0x30)
    }
    rest = rest.dropFirst(digits)
    return value
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let first = rest.first, UInt32(first) == character.value else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// Microseconds; 0 when there is no fraction.
  private mutating func fraction() -> Int64? {
    guard take(".") else { return 0 }
    var value: Int64 = 0
    var digits = 0
    while let byte = rest.first, (0x30...0x39).contains(byte) {
      if digits < 6 { value = value * 10 + Int64(byte - 0x30) }
      digits += 1
      rest = rest.dropFirst()
    }
    guard digits > 0 else { return nil }
    for _ in min(digits, 6)..<6 { value *= 10 }
    return value
  }

  /// Seconds east of Greenwich.
  private mutating func zone() -> Int64? {
    if take("Z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = number(2) else { return nil }
    _ = take(":")
    guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
    return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
  }

  /// Days since 1970 in the Gregorian calendar, in eras of 400 years that begin on the first of
  /// March, so that the leap day is last.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
