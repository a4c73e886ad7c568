/// Reads the text of a calendar expression, systemd.time(7), "Calendar Events".
struct CalendarParser {
  static let years = 1970...2199

  private let text: String
  private var rest: Substring

  private static let shorthands = [
    "minutely": "*-*-* *:*:00", "hourly": "*-*-* *:00:00", "daily": "*-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00", "weekly": "Mon *-*-* 00:00:00",
    "yearly": "*-01-01 00:00:00", "annually": "*-01-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00", "semi-annually": "*-01,07-01 00:00:00",
    "biannually": "*-01,07-01 00:00:00", "bi-annually": "*-01,07-01 00:00:00",
  ]
  private static let weekdays = [
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ]

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  mutating func read(into expression: inout CalendarExpression) throws(CalendarExpressionError) {
    guard text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }), !text.isEmpty else {
      throw problem("it is empty or not plain ASCII")
    }
    try readZone(into: &expression)
    if rest.first == "@" { return try readInstant(into: &expression) }
    if let meaning = Self.shorthands[rest.lowercased()] { rest = meaning[...] }
    let hasWeekdays = rest.first?.isLetter == true
    if hasWeekdays { try readWeekdays(into: &expression) }
    var hasDate = false
    if let word = word, !word.contains(":"), word.contains("-") || word.contains("~") {
      try readDate(into: &expression)
      hasDate = true
    }
    guard !rest.isEmpty else {
      guard hasWeekdays || hasDate else { throw problem("it names no day and no time") }
      return
    }
    try readTime(into: &expression)
  }

  /// The next word, which is not taken.
  private var word: Substring? { rest.split(separator: " ", maxSplits: 1).first }

  private mutating func readZone(
    into expression: inout CalendarExpression
  ) throws(CalendarExpressionError) {
    let words = rest.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count > 1, let last = words.last, last.first?.isLetter == true else { return }
    guard last.lowercased() == "utc" else {
      throw problem(
        "\"\(last)\" is not UTC; without a zone times are the machine's own, or those of "
          + "Environment=TZ=… in a drop-in of the service")
    }
    expression.isUTC = true
    rest = rest.dropLast(last.count + 1)
  }

  /// `@SECONDS`: one instant.
  private mutating func readInstant(
    into expression: inout CalendarExpression
  ) throws(CalendarExpressionError) {
    guard let seconds = Int64(rest.dropFirst()), (0..<7_258_118_400).contains(seconds) else {
      throw problem("\"\(rest)\" is not a time in seconds since 1970")
    }
    let time = CivilTime(instant: seconds * 1_000_000, isUTC: true)
    expression.isUTC = true
    expression.year = .at(time.year)
    expression.month = .at(time.month)
    expression.day = .at(time.day)
    expression.hour = .at(time.hour)
    expression.minute = .at(time.minute)
    expression.second = .at(time.microsecond)
  }

  private mutating func readWeekdays(
    into expression: inout CalendarExpression
  ) throws(CalendarExpressionError) {
    expression.weekdays = 0
    repeat {
      let first = try readWeekday()
      let last = take("..") || take("-") ? try readWeekday() : first
      guard first <= last else { throw problem("a range of weekdays runs from Monday to Sunday") }
      for day in first...last { expression.weekdays |= 1 << day }
    } while take(",") && rest.first?.isLetter == true
    guard rest.isEmpty || rest.first == " " else { throw unexpected("a weekday") }
    skipSpaces()
  }

  private mutating func readWeekday() throws(CalendarExpressionError) -> Int {
    let name = rest.prefix(while: \.isLetter)
    rest = rest.dropFirst(name.count)
    let index = Self.weekdays.firstIndex { day in
      day == name.lowercased() || day.prefix(3) == name.lowercased()
    }
    guard let index else { throw problem("\"\(name)\" is not a weekday, such as Mon") }
    return index
  }

  /// `year-month-day` or `month-day`, with `~` for a day from the month's end.
  private mutating func readDate(
    into expression: inout CalendarExpression
  ) throws(CalendarExpressionError) {
    var fields = [try readList(Place.anyDate)]
    var isFromEnd = false
    while fields.count < 3, !isFromEnd, rest.first == "-" || rest.first == "~" {
      isFromEnd = rest.first == "~"
      rest.removeFirst()
      fields.append(try readList(Place.anyDate))
    }
    guard fields.count > 1, rest.isEmpty || rest.first == " " else { throw unexpected("a date") }
    expression.isDayFromEnd = isFromEnd
    expression.day = try check(fields.removeLast(), isFromEnd ? .dayFromEnd : .day)
    expression.month = try check(fields.removeLast(), .month)
    if let year = fields.first { expression.year = try check(year, .year) }
    skipSpaces()
  }

  /// `hour:minute` or `hour:minute:second`.
  private mutating func readTime(
    into expression: inout CalendarExpression
  ) throws(CalendarExpressionError) {
    expression.hour = try check(try readList(.hour), .hour)
    guard take(":") else { throw unexpected("hour:minute") }
    expression.minute = try check(try readList(.minute), .minute)
    if take(":") { expression.second = try check(try readList(.second), .second) }
    guard rest.isEmpty else { throw unexpected("a time") }
  }

  // MARK: Lists of numbers

  /// One place of the expression and the numbers it can hold.
  private struct Place {
    let name: String
    let range: ClosedRange<Int>
    /// Seconds are counted in microseconds.
    var unit = 1

    static let anyDate = Place(name: "date", range: 0...9999)
    static let year = Place(name: "year", range: CalendarParser.years)
    static let month = Place(name: "month", range: 1...12)
    static let day = Place(name: "day", range: 1...31)
    /// What even the shortest February has.
    static let dayFromEnd = Place(name: "day from the month's end", range: 1...28)
    static let hour = Place(name: "hour", range: 0...23)
    static let minute = Place(name: "minute", range: 0...59)
    static let second = Place(name: "second", range: 0...59_999_999, unit: 1_000_000)
  }

  private mutating func readList(_ place: Place) throws(CalendarExpressionError) -> CalendarField {
    if take("*") {
      guard place.unit > 1 else { return .any }
      return CalendarField(items: [.init(start: 0, stop: nil, step: place.unit)])
    }
    var items: [CalendarField.Item] = []
    repeat { items.append(try readItem(place)) } while take(",")
    return CalendarField(items: items)
  }

  private mutating func readItem(
    _ place: Place
  ) throws(CalendarExpressionError) -> CalendarField.Item {
    let start = try readNumber(place)
    var item = CalendarField.Item(start: start, stop: start, step: 0)
    let isRange = take("..")
    if isRange {
      item.stop = try readNumber(place)
      item.step = place.unit
    }
    if take("/") {
      if !isRange { item.stop = nil }
      item.step = try readNumber(place)
      guard item.step > 0 else { throw problem("a step of 0 never gets on") }
    } else if isRange, place.unit > 1, start + place.unit > item.stop ?? 0 {
      throw problem("a range of seconds without a step holds a whole second at least")
    }
    return item
  }

  private mutating func readNumber(_ place: Place) throws(CalendarExpressionError) -> Int {
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    guard !digits.isEmpty, digits.count < 10, let whole = Int(digits) else {
      throw unexpected("a number for the \(place.name)")
    }
    rest = rest.dropFirst(digits.count)
    guard place.unit > 1, rest.first == ".", rest.dropFirst().first != "." else {
      return whole * place.unit
    }
    rest.removeFirst()
    let fraction = rest.prefix { $0.isASCII && $0.isNumber }
    rest = rest.dropFirst(fraction.count)
    guard !fraction.isEmpty, let part = Double("0.\(fraction)") else {
      throw unexpected("a fraction of a second")
    }
    return whole * place.unit + Int((part * Double(place.unit)).rounded())
  }

  /// Judges a list by the place that it turned out to stand for.
  private func check(
    _ field: CalendarField, _ place: Place
  ) throws(CalendarExpressionError) -> CalendarField {
    var items: [CalendarField.Item] = []
    for var item in field.items {
      if place.name == Place.year.name {
        item.start = Self.fullYear(item.start)
        item.stop = item.stop.map(Self.fullYear)
      }
      if let stop = item.stop, stop < item.start {
        throw problem("a range of the \(place.name) ends before it begins")
      }
      item = item.normalized
      let repeated =
        place.range == Place.dayFromEnd.range ? item.start - item.step : item.start + item.step
      for number in [item.start, item.stop ?? repeated] where !place.range.contains(number) {
        throw problem(
          "\(place.name) \(number / place.unit) is outside of "
            + "\(place.range.lowerBound) to \(place.range.upperBound / place.unit)")
      }
      items.append(item)
    }
    return CalendarField(items: items)
  }

  private static func fullYear(_ number: Int) -> Int {
    switch number {
    case 0..<70: number + 2000
    case 70..<100: number + 1900
    default: number
    }
  }

  // MARK: Characters

  private mutating func take(_ token: String) -> Bool {
    guard rest.hasPrefix(token) else { return false }
    rest = rest.dropFirst(token.count)
    return true
  }

  private mutating func skipSpaces() { rest = rest.drop { $0 == " " } }

  private func unexpected(_ expected: String) -> CalendarExpressionError {
    let found = rest.isEmpty ? "the end" : "\"\(rest)\""
    return problem("expected \(expected) before \(found)")
  }

  private func problem(_ text: String) -> CalendarExpressionError {
    CalendarExpressionError(description: text)
  }
}
