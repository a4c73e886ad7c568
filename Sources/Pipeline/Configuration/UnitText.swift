internal import Systemd

/// Durations as the configuration writes them: a whole number and one unit.
enum DurationText {
  private static let units: [(name: String, milliseconds: Int64)] = [
    ("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1),
  ]

  /// `nil` for another unit, a sign, a fraction or a number that does not fit.
  static func duration(_ text: String) -> Duration? {
    guard let (number, unit) = splitNumber(text),
      let factor = units.first(where: { $0.name == unit })?.milliseconds
    else { return nil }
    let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
    return overflow ? nil : .milliseconds(milliseconds)
  }

  /// In the largest unit that is exact; parts of a millisecond are dropped.
  static func text(_ duration: Duration) -> String {
    let milliseconds = duration.wholeMilliseconds
    guard milliseconds != 0 else { return "0s" }
    let unit = units.first { milliseconds % $0.milliseconds == 0 } ?? ("ms", 1)
    return "\(milliseconds / unit.milliseconds)\(unit.name)"
  }
}

extension Duration {
  /// Cut to milliseconds.
  package var wholeMilliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}

/// Sizes as the configuration writes them: a whole number and one binary unit.
enum ByteSize {
  private static let units: [(name: String, shift: Int64)] = [
    ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0),
  ]

  /// `nil` for another unit, a sign, a fraction or a number that does not fit.
  static func bytes(_ text: String) -> Int64? {
    guard let (number, unit) = splitNumber(text),
      let shift = units.first(where: { $0.name == unit })?.shift
    else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : bytes
  }

  /// In the largest unit that is exact.
  static func text(_ bytes: Int64) -> String {
    let unit = units.first { bytes != 0 && bytes % (1 << $0.shift) == 0 } ?? ("B", 0)
    return "\(bytes >> unit.shift)\(unit.name)"
  }
}

/// `"30s"` into 30 and `s`; one space between them is fine.
private func splitNumber(_ text: String) -> (number: Int64, unit: Substring)? {
  let digits = text.prefix { ("0"..."9").contains($0) }
  guard let number = Int64(digits) else { return nil }
  let rest = text.dropFirst(digits.count)
  return (number, rest.first == " " ? rest.dropFirst() : rest)
}

/// TOML's basic strings, for defaults and for values quoted in errors.
enum TOMLText {
  static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case _ where !PrintableText.isHarmless(scalar):
        let digits = String(scalar.value, radix: 16, uppercase: true)
        let width = digits.count > 4 ? 8 : 4
        result += width == 8 ? "\\U" : "\\u"
        result += String(repeating: "0", count: width - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A value for an error message: short, on one line, without control characters.
  static func spelled(_ value: TOMLValue) -> String {
    switch value {
    case .table: "a table"
    case .array: "a list"
    case .string(let text): quoted(text.count > 60 ? text.prefix(60) + "…" : text)
    case .integer(let number): String(number)
    case .float(let number): String(number)
    case .boolean(let flag): flag ? "true" : "false"
    case .moment(let text): text
    }
  }
}
