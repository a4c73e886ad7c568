/// The offsets of one partition's rows, as runs of consecutive offsets.
///
/// Rows of a file rise, so memory grows with the number of gaps and not with the rows.
struct OffsetIntervals {
  private var runs: [Range<Int64>] = []
  /// Rows, repeated ones included.
  private(set) var count: Int64 = 0

  mutating func insert(_ offset: Int64) {
    count += 1
    if let last = runs.last, last.upperBound == offset {
      runs[runs.count - 1] = last.lowerBound..<(offset + 1)
    } else {
      runs.append(offset..<(offset + 1))
    }
  }

  /// The first offset that stands in two rows, if any; afterwards the runs are sorted.
  mutating func firstDuplicate() -> Int64? {
    runs.sort { $0.lowerBound < $1.lowerBound }
    for (run, next) in zip(runs, runs.dropFirst()) where next.lowerBound < run.upperBound {
      return next.lowerBound
    }
    return nil
  }

  mutating func formUnion(_ other: OffsetIntervals) {
    runs.append(contentsOf: other.runs)
    count += other.count
  }

  var lowest: Int64? { runs.map(\.lowerBound).min() }
  /// Exclusive.
  var end: Int64? { runs.map(\.upperBound).max() }
}
