/// What an operator wants of the stream's position.
package enum StreamOrder: Equatable, Sendable {
  /// Pass over offsets up to `to`, exclusive, from `from` or from where the stream is.
  case skip(partition: Int32, from: Int64?, to: Int64)
  /// Give up what the brokers no longer have, in one partition or in all.
  case acceptLoss(partition: Int32?)
  /// Go on somewhere else.
  case reset(ResetGoal)
}

/// Where a stream is to go on, as an operator wrote it.
package struct ResetGoal: Equatable, Sendable {
  let start: StartingOffsets
  /// The topic that offsets were given for; `nil` where no topic was named.
  let topic: String?

  /// `nil` for a text of another form than `StartingOffsetsForm` expects.
  init?(_ text: String) {
    guard let start = StartingOffsetsForm.read(.string(text)) else { return nil }
    self.start = start
    topic = StartingOffsetsForm.offsets(text)?.topic
  }
}

/// What carrying out an order means, in offsets.
package struct StreamMove: Equatable, Sendable {
  /// Where the stream is, and where it is to go on.
  package let position: [Int32: Int64]
  package let target: [Int32: Int64]
  /// Where the next batch has to end so that what is behind it can be passed over, when there are
  /// offsets in front that no batch has read yet; the target is the position then.
  package let batchEnd: [Int32: Int64]?
  /// A batch that was logged, is in no table, and is given up: its offsets are planned anew.
  package let withdrawn: Int64?
  private let beginnings: [Int32: Int64]

  /// Offsets that no batch will read; each range becomes a row of the dead letters.
  package var skipped: [Int32: Range<Int64>] {
    target.pairing(with: position) { goal, now in goal > now ? now..<goal : nil }
  }

  /// Offsets that are read again.
  package var repeated: [Int32: Range<Int64>] {
    target.pairing(with: position) { goal, now in goal < now ? goal..<now : nil }
  }

  /// How many of the repeated offsets were read into these tables before.
  package var repeatedCount: Int64 {
    repeated.reduce(0) { sum, entry in
      let first = max(entry.value.lowerBound, beginnings[entry.key] ?? 0)
      return sum + max(0, entry.value.upperBound - first)
    }
  }

  package var isEmpty: Bool { position == target && batchEnd == nil }

  /// Offsets that the next run has to read before the rest of the order can be carried out.
  package var readFirst: [Int32: Range<Int64>] {
    batchEnd?.pairing(with: position) { end, now in end > now ? now..<end : nil } ?? [:]
  }
}

extension StreamMove {
  /// - Parameters:
  ///   - plan: what a run would begin with; new partitions are in it, at their beginning.
  ///   - goal: where a reset leads; `nil` for the other orders.
  /// - Throws: `SKIP_RANGE` for offsets that cannot be passed over.
  init(
    _ order: StreamOrder, from stream: StreamPosition, _ plan: KafkaPlan, goal: [Int32: Int64]?
  ) throws {
    position = plan.start
    withdrawn = stream.pending
    beginnings = stream.beginnings
    switch order {
    case .skip(let partition, let from, let to):
      let isNext = try Self.check(partition, from, to, plan)
      batchEnd = isNext ? nil : from.map { from in plan.start.merging([partition: from]) { $1 } }
      target = isNext ? plan.start.merging([partition: to]) { $1 } : plan.start
    case .acceptLoss(let partition):
      let lost = plan.lost.filter { partition == nil || $0.key == partition }
      batchEnd = nil
      target = plan.start.merging(lost.mapValues(\.upperBound)) { $1 }
    case .reset:
      batchEnd = nil
      target = goal ?? plan.start
    }
  }

  /// - Returns: whether the range is the next one that the stream would read.
  private static func check(
    _ partition: Int32, _ from: Int64?, _ to: Int64, _ plan: KafkaPlan
  ) throws -> Bool {
    func refuse(_ message: String, _ remedy: String) -> PipelineError {
      PipelineError("SKIP_RANGE", .configuration, message, remedy: remedy)
    }
    guard let position = plan.start[partition], let end = plan.target[partition] else {
      throw refuse(
        "partition \(partition) is none of the topic's", "`shopmetricsctl lag` lists them")
    }
    if let from, from < position {
      throw refuse(
        "partition \(partition): the stream is at offset \(position), not at \(from)",
        "offsets before \(position) are in the tables already")
    }
    guard to >= from ?? position else {
      throw refuse(
        "partition \(partition): the stream is at offset \(position), behind \(to)",
        "`shopmetricsctl checkpoint reset` goes back")
    }
    guard to <= end else {
      throw refuse(
        "partition \(partition) ends at offset \(end): records that come later would be lost "
          + "without having been there",
        "skip up to \(end) at most")
    }
    return from ?? position == position
  }
}

extension [Int32: Int64] {
  /// One value for each partition that both sides have.
  fileprivate func pairing<Result>(
    with other: Self, _ transform: (Int64, Int64) -> Result?
  ) -> [Int32: Result] {
    reduce(into: [:]) { result, entry in
      guard let second = other[entry.key] else { return }
      result[entry.key] = transform(entry.value, second)
    }
  }
}
