/// How far one batch may go: Spark's `maxOffsetsPerTrigger` arithmetic.
///
/// The steps and their floating-point order are those of `KafkaMicroBatchStream.rateLimit`, so
/// that a query taken over by Spark, or from it, plans the same batch boundaries.
package enum RateLimit {
  /// The end offsets of a batch that starts at `start` and may hold about `limit` offsets.
  ///
  /// Each partition gets its share of `limit` in proportion to what it has to offer; a share
  /// below one offset is rounded up, every other one down, so a batch may hold a few offsets
  /// less than `limit`, or one more for each tiny partition.
  /// - Parameters:
  ///   - limit: offsets, at least 1.
  ///   - start: first offset of the batch, for every partition of `target`.
  ///   - target: where the run ends, exclusive.
  package static func endOffsets(
    limit: Int64, start: [Int32: Int64], target: [Int32: Int64]
  ) -> [Int32: Int64] {
    precondition(limit > 0, "a batch without offsets would never end a run")
    let sizes = target.compactMapValues { $0 }.reduce(into: [Int32: Int64]()) { sizes, entry in
      let size = entry.value - (start[entry.key] ?? entry.value)
      if size > 0 { sizes[entry.key] = size }
    }
    let total = sizes.sorted { $0.key < $1.key }.reduce(0.0) { $0 + Double($1.value) }
    guard total >= 1 else { return target }
    var end = target
    for (partition, size) in sizes {
      guard let begin = start[partition], let until = target[partition] else { continue }
      let share = Double(limit) * (Double(size) / total)
      let take = share < 1 ? share.rounded(.up) : share.rounded(.down)
      let (sum, overflow) = begin.addingReportingOverflow(Int64(exactly: take) ?? size)
      end[partition] = overflow ? until : min(until, sum)
    }
    return end
  }
}
