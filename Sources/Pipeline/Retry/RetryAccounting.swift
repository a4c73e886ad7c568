package import JSON

/// The `shopmetrics` object in `commitInfo` of a retry's commit to the Bronze table.
///
/// That commit is the retry's one commit point: it adds the letters that are events now, and it
/// carries the complete actions that take them out of the dead-letter table.
package struct RetryAccounting: Equatable, Sendable {
  /// Counts up from 0; the version of the `txn` actions of both commits.
  package var number: Int64
  package var topic: String
  package var partitions: [Int32: Partition]
  package var second: BatchAccounting.SecondTable

  /// What the retry did to one partition's records.
  package struct Partition: Equatable, Sendable {
    /// Letters that became events and that `total` counts.
    package var moved: Int64 = 0
    /// Letters that became events and that `total` does not count: they are older, as after a batch
    /// of another program or after a reset.
    package var movedEarlier: Int64 = 0
    /// Everything since the stream began, as the retry leaves it; `nil` where the newest batch has
    /// no accounting.
    package var total: PartitionAccount.Total?

    package init(total: PartitionAccount.Total? = nil) { self.total = total }

    /// Takes in a letter that became an event.
    ///
    /// There may be more letters than `total` counts: a reset lets two streams take an offset.
    mutating func move(offset: Int64) {
      guard var total, offset >= total.start, total.dead > 0 else {
        movedEarlier += 1
        return
      }
      moved += 1
      total.good += 1
      total.dead -= 1
      self.total = total
    }
  }

  package init(
    number: Int64, topic: String, partitions: [Int32: Partition],
    second: BatchAccounting.SecondTable
  ) {
    self.number = number
    self.topic = topic
    self.partitions = partitions
    self.second = second
  }
}

// MARK: - JSON

extension RetryAccounting {
  /// The object as compact JSON with a fixed key order.
  package var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("query", DeadLetterRetry.name)
    writer.field("batch", number)
    writer.field("topic", topic)
    writer.partitions(partitions) { $0.write(to: &$1) }
    second.write(to: &writer)
    writer.endObject()
    return writer.text
  }

  /// Reads the object back; `nil` when a field is missing or of another type.
  package init?(_ object: JSONObject) {
    guard object.string("query") == DeadLetterRetry.name, let number = object.int64("batch"),
      let topic = object.string("topic"), let partitions = object.partitions(Partition.init),
      let second = object["second"].flatMap(BatchAccounting.SecondTable.init)
    else { return nil }
    self.init(number: number, topic: topic, partitions: partitions, second: second)
  }
}

extension RetryAccounting.Partition {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("moved", moved)
    writer.field("movedEarlier", movedEarlier)
    if let total {
      writer.key("total")
      total.write(to: &writer)
    }
    writer.endObject()
  }

  fileprivate init?(_ object: JSONObject) {
    guard let moved = object.int64("moved"), let earlier = object.int64("movedEarlier"),
      [moved, earlier].allSatisfy({ (0...PartitionAccount.most).contains($0) })
    else { return nil }
    if let stored = object["total"] {
      guard let total = stored.objectValue.flatMap(PartitionAccount.Total.init) else { return nil }
      self.init(total: total)
    } else {
      self.init()
    }
    self.moved = moved
    movedEarlier = earlier
  }
}
