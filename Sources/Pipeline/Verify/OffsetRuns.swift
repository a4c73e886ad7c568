/// A set of offsets as runs of consecutive ones.
///
/// Sixteen bytes for each gap, whatever the number of rows. A set that takes in the files of both
/// tables in the order in which they were written has a gap only where the topic had one.
struct OffsetRuns: Equatable, Sendable {
  /// Ascending; no two of them touch.
  private(set) var runs: [Range<Int64>] = []

  init() {}

  /// The set of the offsets in `pieces`, and the first offset that is in two of them.
  init(_ pieces: [Range<Int64>], firstRepeated: inout Int64?) {
    var sorted = pieces
    let rises = zip(pieces, pieces.dropFirst()).allSatisfy { $0.lowerBound <= $1.lowerBound }
    if !rises { sorted.sort { $0.lowerBound < $1.lowerBound } }
    for piece in sorted { append(piece, &firstRepeated) }
  }

  /// Takes in another set.
  /// - Returns: the first offset that is in both.
  mutating func formUnion(_ other: OffsetRuns) -> Int64? {
    guard let first = other.runs.first else { return nil }
    let place = firstRun(endingFrom: first.lowerBound)
    var old = runs[place...]
    runs.removeSubrange(place...)
    var new = other.runs[...]
    var firstRepeated: Int64?
    while let left = old.first, let right = new.first {
      append(left.lowerBound <= right.lowerBound ? left : right, &firstRepeated)
      if left.lowerBound <= right.lowerBound { old.removeFirst() } else { new.removeFirst() }
    }
    for run in old { append(run, &firstRepeated) }
    for run in new { append(run, &firstRepeated) }
    return firstRepeated
  }

  /// `run` begins where the last run begins, or later.
  private mutating func append(_ run: Range<Int64>, _ firstRepeated: inout Int64?) {
    guard let last = runs.last, run.lowerBound <= last.upperBound else {
      runs.append(run)
      return
    }
    if run.lowerBound < last.upperBound, firstRepeated == nil { firstRepeated = run.lowerBound }
    runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, run.upperBound)
  }

  private func firstRun(endingFrom offset: Int64) -> Int {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].upperBound < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
