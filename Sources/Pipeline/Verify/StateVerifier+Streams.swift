extension StateVerifier {
  /// The offsets that each query has taken, the present one's last; what another program read on
  /// its checkpoint is among them.
  var taken: [[Int32: Range<Int64>]] {
    let present = (state.newestOffsets?.offsets ?? [:]).reduce(
      into: [Int32: Range<Int64>]()
    ) { ranges, entry in
      let start = presentBeginning(of: entry.key) ?? entry.value
      ranges[entry.key] = start..<max(start, entry.value)
    }
    let earlier = state.earlierStreams.map { stream in
      stream.partitions.mapValues { $0.start..<max($0.start, $0.end) }
    }
    return earlier + [present]
  }

  /// Whether the totals of all queries begin where the query did: another program's batches have
  /// none, and those behind them count from there.
  func isFullyCounted(_ partition: Int32) -> Bool {
    let present = state.accounting?.partitions[partition]?.total.start
    return presentBeginning(of: partition) == present
      && state.earlierStreams.compactMap { $0.partitions[partition] }
        .allSatisfy { $0.start == $0.total.start }
  }

  private func presentBeginning(of partition: Int32) -> Int64? {
    let counted = state.accounting?.partitions[partition]?.total.start
    // A reset's new query has none before its first batch.
    guard state.observation.firstTable != nil else { return counted }
    return checkpoint.initialOffsets?[partition] ?? counted
  }
}
