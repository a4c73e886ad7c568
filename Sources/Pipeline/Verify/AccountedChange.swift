/// What one commit adds to the totals of each partition, and what they are then.
struct AccountedChange {
  let place: String
  private let partitions: [Int32: Partition]

  private struct Partition {
    let total: PartitionAccount.Total
    let good, dead, absent: Int64
  }

  init(_ batch: BatchAccounting, place: String) {
    self.place = place
    partitions = batch.partitions.mapValues {
      Partition(total: $0.total, good: $0.good, dead: $0.dead, absent: $0.absent)
    }
  }

  init(_ retry: RetryAccounting, place: String) {
    self.place = place
    partitions = retry.partitions.compactMapValues { account in
      account.total.map {
        Partition(total: $0, good: account.moved, dead: -account.moved, absent: 0)
      }
    }
  }

  /// Counts that do not follow from those of the commit in front.
  fileprivate func breaks(
    after earlier: AccountedChange
  ) -> [(place: String, expected: Int64, found: Int64)] {
    partitions.sorted { $0.key < $1.key }.flatMap { number, now in
      // After batches of another program the totals begin anew.
      guard let before = earlier.partitions[number]?.total, before.start == now.total.start else {
        return [(place: String, expected: Int64, found: Int64)]()
      }
      return [
        ("good", before.good + now.good, now.total.good),
        ("dead", before.dead + now.dead, now.total.dead),
        ("absent", before.absent + now.absent, now.total.absent),
      ].map { ("\(place), partition \(number), total.\($0)", $1, $2) }
    }
  }
}

extension VerificationReport {
  /// The totals of a commit must be those of the commit in front and what it adds itself.
  mutating func check(_ change: AccountedChange, follows earlier: AccountedChange) {
    for (place, expected, found) in change.breaks(after: earlier) {
      compare("CONTINUITY", place, expected, found)
    }
  }
}
