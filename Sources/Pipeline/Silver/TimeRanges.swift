/// A set of instants: ranges that do not touch, ascending.
struct TimeRanges {
  private let ranges: [ClosedRange<Int64>]

  init(_ parts: some Sequence<ClosedRange<Int64>>) {
    var ranges: [ClosedRange<Int64>] = []
    for part in parts.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = ranges.last, part.lowerBound <= last.upperBound {
        ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, part.upperBound)
      } else {
        ranges.append(part)
      }
    }
    self.ranges = ranges
  }

  func contains(_ time: Int64) -> Bool { overlaps(from: time, to: time) }

  /// Whether an instant of the set lies within these times.
  ///
  /// Two numbers and no range: a file may state them the wrong way round.
  func overlaps(from first: Int64, to last: Int64) -> Bool {
    let index = ranges.partitioningIndex { $0.upperBound >= first }
    return index < ranges.count && ranges[index].lowerBound <= last
  }
}

extension Array {
  /// The first index whose element fits, when all elements behind one that fits do too.
  func partitioningIndex(where fits: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if fits(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
