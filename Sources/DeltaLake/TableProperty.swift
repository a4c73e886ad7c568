/// Properties of a table that are durations (Delta protocol, "Table Properties").
enum TableProperty {
  /// How long removed files stay: `delta.deletedFileRetentionDuration`, one week by default.
  static func deletedFileRetention(_ metadata: TableMetadata) -> Int64 {
    metadata.configuration["delta.deletedFileRetentionDuration"].flatMap(milliseconds)
      ?? 7 * 86_400_000
  }

  /// Properties with which other programs may remove what is still needed.
  static func warnings(_ metadata: TableMetadata) -> [String] {
    let shortest: Int64 = 3_600_000
    return ["delta.logRetentionDuration", "delta.deletedFileRetentionDuration"].compactMap { key in
      guard let text = metadata.configuration[key], let duration = milliseconds(text),
        duration < shortest
      else { return nil }
      return "\(key) is \(text): other programs may remove what a reader still needs"
    }
  }

  /// Reads an interval such as `interval 30 days` or `interval 1 week 2 hours`, in milliseconds;
  /// nil for any other text.
  static func milliseconds(_ text: String) -> Int64? {
    var words = text.lowercased().split(separator: " ")
    if words.first == "interval" { words.removeFirst() }
    guard !words.isEmpty, words.count.isMultiple(of: 2) else { return nil }
    var total: Int64 = 0
    for index in stride(from: 0, to: words.count, by: 2) {
      guard let count = Int64(words[index]), let unit = unit(words[index + 1]) else { return nil }
      let (product, overflowed) = count.multipliedReportingOverflow(by: unit)
      let (sum, overflowedToo) = total.addingReportingOverflow(product)
      guard !overflowed, !overflowedToo, sum >= 0 else { return nil }
      total = sum
    }
    return total
  }

  private static func unit(_ word: Substring) -> Int64? {
    switch word {
    case "millisecond", "milliseconds": 1
    case "second", "seconds": 1000
    case "minute", "minutes": 60_000
    case "hour", "hours": 3_600_000
    case "day", "days": 86_400_000
    case "week", "weeks": 604_800_000
    default: nil
    }
  }
}
