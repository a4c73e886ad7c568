/// The numbers that one place of a calendar expression names, such as `8..18/2,20`.
struct CalendarField: Equatable, Sendable {
  /// One item of the list: `start`, then every `step` through `stop`.
  struct Item: Equatable, Sendable {
    var start: Int
    /// `nil`: only the place's own end.
    var stop: Int?
    /// 0: `start` alone.
    var step: Int
  }

  /// Without items every number matches.
  let items: [Item]

  static let any = CalendarField(items: [])

  static func at(_ number: Int) -> CalendarField {
    CalendarField(items: [Item(start: number, stop: number, step: 0)])
  }

  /// The least number that is named, from `low` through `high`.
  func first(from low: Int, through high: Int) -> Int? {
    guard low <= high else { return nil }
    guard !items.isEmpty else { return low }
    return items.compactMap { $0.first(from: low, through: high) }.min()
  }

  /// The days of a month that ends with `lastDay`, for items that count from its end.
  func mirrored(lastDay: Int) -> CalendarField {
    CalendarField(
      items: items.map { item in
        let far = lastDay + 1 - (item.stop ?? item.start)
        let near = lastDay + 1 - item.start
        return Item(
          start: far, stop: item.stop == nil && item.step > 0 ? nil : near, step: item.step)
      })
  }
}

extension CalendarField.Item {
  /// The same numbers, with a `stop` that is one of them.
  var normalized: CalendarField.Item {
    guard let stop, step > 0, stop >= start else { return self }
    let last = stop - (stop - start) % step
    return CalendarField.Item(start: start, stop: last, step: last > start ? step : 0)
  }

  fileprivate func first(from low: Int, through high: Int) -> Int? {
    guard start < low else { return start <= min(high, stop ?? high) ? start : nil }
    guard step > 0 else { return nil }
    let number = start + (low - start + step - 1) / step * step
    return number <= min(high, stop ?? high) ? number : nil
  }
}
