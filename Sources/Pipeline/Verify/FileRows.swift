/// Where the rows of one data file came from.
struct FileRows {
  /// Where the totals of each partition begin.
  private let starts: [Int32: Int64]
  var rowCount: Int64 = 0
  /// Rows that stand for a record, by partition; `data_loss` letters stand for none.
  private(set) var partitions: [Int32: PartitionRows] = [:]
  /// Least and greatest `ingested_at`, in microseconds since 1970.
  var ingestedAt: ClosedRange<Int64>?
  private var pieces: [Int32: [Range<Int64>]] = [:]

  init(starts: [Int32: Int64]) { self.starts = starts }

  struct PartitionRows: Equatable {
    var count: Int64
    /// Of these the ones that the totals count.
    var counted: Int64
    var offsets: ClosedRange<Int64>
  }

  /// Notes rows with consecutive offsets.
  /// - Parameter isRecord: false for a letter that stands for a lost range.
  mutating func note(_ partition: Int32, _ offsets: Range<Int64>, isRecord: Bool) {
    guard !offsets.isEmpty else { return }
    pieces[partition, default: []].append(offsets)
    guard isRecord else { return }
    let counted = offsets.clamped(to: (starts[partition] ?? 0)..<Int64.max)
    let rows = PartitionRows(
      count: Int64(offsets.count), counted: Int64(counted.count),
      offsets: offsets.lowerBound...(offsets.upperBound - 1))
    partitions[partition] = partitions[partition]?.adding(rows) ?? rows
  }

  /// Hands out all noted offsets, once: what stays is small.
  mutating func takeOffsets(firstRepeated: (Int32, Int64) -> Void) -> [Int32: OffsetRuns] {
    defer { pieces = [:] }
    return Dictionary(
      uniqueKeysWithValues: pieces.map { partition, pieces in
        var repeated: Int64?
        let runs = OffsetRuns(pieces, firstRepeated: &repeated)
        if let repeated { firstRepeated(partition, repeated) }
        return (partition, runs)
      })
  }
}

extension ClosedRange<Int64> {
  /// The smallest range that holds both.
  func union(_ other: ClosedRange<Int64>) -> ClosedRange<Int64> {
    Swift.min(lowerBound, other.lowerBound)...Swift.max(upperBound, other.upperBound)
  }
}
