internal import Kafka

/// What one run will read: fixed at its start, whatever arrives later.
struct KafkaPlan: Equatable {
  /// The first offset that the run reads, for each partition.
  var start: [Int32: Int64]
  /// Where the run ends in each partition, exclusive.
  var target: [Int32: Int64]
  /// The first offset that each partition still has.
  var beginning: [Int32: Int64] = [:]
  /// Offsets that the checkpoint needs and the broker no longer has.
  var lost: [Int32: Range<Int64>] = [:]

  var isEmpty: Bool { target.allSatisfy { start[$0.key] == $0.value } }

  /// The partitions that this run reads from.
  private var withNews: Set<Int32> { Set(target.keys.filter { start[$0] != target[$0] }) }

  /// Which of the newest records read before can be compared, and where they are gone.
  func proofs(
    _ newest: [Int32: RecordProof]
  ) -> (comparable: [Int32: RecordProof], gone: Set<Int32>) {
    let wanted = newest.filter { withNews.contains($0.key) && lost[$0.key] == nil }
    let comparable = wanted.filter { $0.value.offset >= beginning[$0.key] ?? .max }
    return (comparable, Set(wanted.keys).subtracting(comparable.keys))
  }

  /// Where fetching begins: behind what is lost.
  var fetchStart: [Int32: Int64] {
    start.merging(lost.mapValues(\.upperBound)) { max($0, $1) }
  }
}

/// What the brokers hold right now.
struct TopicBounds: Equatable {
  /// The first offset of each partition that still exists.
  var beginning: [Int32: Int64]
  /// The offset after the last committed record.
  var end: [Int32: Int64]
}

extension KafkaPlan {
  /// Compares what the stream needs with what the topic holds.
  ///
  /// - Parameters:
  ///   - position: the end of the last batch, or where the stream begins; a partition that is
  ///     not in it was added since.
  ///   - pendingEnd: the logged end of a batch that must be read again.
  /// - Throws: `KAFKA_DATA_LOSS`, `LOG_TRUNCATED` or `PARTITIONS_DELETED`, with coordinates.
  init(
    topic: String, position: [Int32: Int64], pendingEnd: [Int32: Int64]?, bounds: TopicBounds,
    onMissingData: LossSettings.OnMissingData
  ) throws {
    start = [:]
    target = bounds.end
    beginning = bounds.beginning
    let needed = position.merging(pendingEnd ?? [:]) { max($0, $1) }
    for (partition, offset) in needed.sorted(by: { $0.key < $1.key }) {
      guard let end = bounds.end[partition] else {
        throw PipelineError(
          "PARTITIONS_DELETED", .source,
          "\(topic)/\(partition): the checkpoint is at offset \(offset), the topic has no such "
            + "partition any more",
          remedy: "a topic cannot lose partitions: this is another topic of the same name; keep "
            + "the old tables and start new ones: `shopmetricsctl checkpoint reset --to earliest "
            + "--new-tables DIR`")
      }
      guard end >= offset else {
        throw PipelineError(
          "LOG_TRUNCATED", .source,
          "\(topic)/\(partition): need offset \(offset), the broker's log ends at \(end)",
          remedy: "the topic was recreated or truncated: restore it, or keep the old tables and "
            + "start new ones: `shopmetricsctl checkpoint reset --to earliest --new-tables DIR`")
      }
    }
    for (partition, beginning) in bounds.beginning {
      let known = position[partition]
      // A partition that was added to a running stream is read from its first record on.
      let first = known ?? 0
      start[partition] = first
      guard first < beginning else { continue }
      guard onMissingData == .continue else {
        let isNew = known == nil ? " (a new partition)" : ""
        throw PipelineError(
          "KAFKA_DATA_LOSS", .source,
          "\(topic)/\(partition)\(isNew): need offset \(first), the broker starts at "
            + "\(beginning), \(beginning - first) records are gone",
          remedy: "`shopmetricsctl checkpoint accept-loss` goes on behind the gap and makes it a "
            + "row of the dead-letter table; loss.on_missing_data = \"continue\" does it by itself")
      }
      lost[partition] = first..<beginning
    }
  }
}
