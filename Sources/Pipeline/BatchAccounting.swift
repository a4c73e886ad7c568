package import JSON
package import Kafka

/// One partition's part of a batch, and of everything since the stream began.
package struct PartitionAccount: Equatable, Sendable {
  /// First offset of the batch, and the offset after its last one.
  package var start: Int64
  package var end: Int64
  /// Offsets of the batch that are rows of Bronze, rows of the dead-letter table, or no visible
  /// record at all (compacted, aborted, control records, lost).
  package var good: Int64
  package var dead: Int64
  package var absent: Int64
  /// The same since the stream's first offset in this partition, this batch included.
  package var total: Total
  /// The last visible record of the range, or of the batch before when the range is empty; what
  /// the next run compares before it goes on.
  package var newest: RecordProof?

  /// Counts since the stream began; `start + good + dead + absent` is the batch's end.
  package struct Total: Equatable, Sendable {
    package var start: Int64
    package var good: Int64 = 0
    package var dead: Int64 = 0
    package var absent: Int64 = 0

    package init(start: Int64, good: Int64 = 0, dead: Int64 = 0, absent: Int64 = 0) {
      self.start = start
      self.good = good
      self.dead = dead
      self.absent = absent
    }

    /// The offset up to which every offset is accounted for, exclusive.
    package var end: Int64 { start + good + dead + absent }
  }

  package init(
    start: Int64, end: Int64, good: Int64, dead: Int64, absent: Int64, total: Total,
    newest: RecordProof? = nil
  ) {
    self.start = start
    self.end = end
    self.good = good
    self.dead = dead
    self.absent = absent
    self.total = total
    self.newest = newest
  }
}

/// The `shopmetrics` object in `commitInfo` of a batch's first commit.
///
/// It accounts for every offset of the batch and carries the complete actions of the second
/// table, from which recovery finishes the batch without reading Kafka again.
package struct BatchAccounting: Equatable, Sendable {
  package var query: String
  package var batch: Int64
  package var topic: String
  /// Bytes of the record values read; the mean size steers the next batch.
  package var valueBytes: Int64
  package var partitions: [Int32: PartitionAccount]
  package var second: SecondTable?

  /// What the other table of the batch gets, as the JSON of its log lines.
  package struct SecondTable: Equatable, Sendable {
    package var table: String
    package var actions: [JSONValue]

    package init(table: String, actions: [JSONValue]) {
      self.table = table
      self.actions = actions
    }
  }

  package init(
    query: String, batch: Int64, topic: String, valueBytes: Int64,
    partitions: [Int32: PartitionAccount], second: SecondTable?
  ) {
    self.query = query
    self.batch = batch
    self.topic = topic
    self.valueBytes = valueBytes
    self.partitions = partitions
    self.second = second
  }

  package var goodCount: Int64 { partitions.values.reduce(0) { $0 + $1.good } }
  package var deadCount: Int64 { partitions.values.reduce(0) { $0 + $1.dead } }
}

// MARK: - JSON

extension BatchAccounting {
  /// The object as compact JSON with a fixed key order.
  package var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("query", query)
    writer.field("batch", batch)
    writer.field("topic", topic)
    writer.field("valueBytes", valueBytes)
    writer.partitions(partitions) { $0.write(to: &$1) }
    if let second { second.write(to: &writer) }
    writer.endObject()
    return writer.text
  }

  /// Reads the object back; `nil` when a field is missing or of another type.
  package init?(_ object: JSONObject) {
    guard let query = object.string("query"), let batch = object.int64("batch"),
      let topic = object.string("topic"), let valueBytes = object.int64("valueBytes"),
      let partitions = object.partitions(PartitionAccount.init)
    else { return nil }
    var second: SecondTable?
    if let carried = object["second"] {
      guard let read = SecondTable(carried) else { return nil }
      second = read
    }
    self.init(
      query: query, batch: batch, topic: topic, valueBytes: valueBytes, partitions: partitions,
      second: second)
  }
}

extension JSONWriter {
  /// The member `partitions` of an accounting, in the order of their numbers.
  mutating func partitions<Account>(
    _ accounts: [Int32: Account], _ write: (Account, inout JSONWriter) -> Void
  ) {
    key("partitions")
    beginObject()
    for (partition, account) in accounts.sorted(by: { $0.key < $1.key }) {
      key(String(partition))
      write(account, &self)
    }
    endObject()
  }
}

extension JSONObject {
  /// The member `partitions` of an accounting; `nil` when a part of it is not what it should be.
  func partitions<Account>(_ read: (JSONObject) -> Account?) -> [Int32: Account]? {
    guard let entries = object("partitions") else { return nil }
    var accounts: [Int32: Account] = [:]
    for (key, value) in entries.members {
      guard let partition = Int32(key), let account = value.objectValue.flatMap(read) else {
        return nil
      }
      accounts[partition] = account
    }
    return accounts
  }
}

extension BatchAccounting.SecondTable {
  /// The member `second` of an accounting.
  func write(to writer: inout JSONWriter) {
    writer.key("second")
    writer.beginObject()
    writer.field("table", table)
    writer.key("actions")
    writer.beginArray()
    for action in actions { action.write(to: &writer) }
    writer.endArray()
    writer.endObject()
  }

  init?(_ value: JSONValue) {
    guard let object = value.objectValue, let table = object.string("table"),
      let actions = object.array("actions")
    else { return nil }
    self.init(table: table, actions: actions)
  }
}

extension PartitionAccount.Total {
  func write(to writer: inout JSONWriter) {
    writer.beginObject()
    for (key, value) in [("start", start), ("good", good), ("dead", dead), ("absent", absent)] {
      writer.key(key)
      writer.int(value)
    }
    writer.endObject()
  }

  init?(_ object: JSONObject) {
    guard let start = object.int64("start"), let good = object.int64("good"),
      let dead = object.int64("dead"), let absent = object.int64("absent"), start >= 0,
      [good, dead, absent].allSatisfy({ (0...PartitionAccount.most).contains($0) }),
      start <= Int64.max - (good + dead + absent)
    else { return nil }
    self.init(start: start, good: good, dead: dead, absent: absent)
  }
}

extension PartitionAccount {
  /// No partition had so many records: at a million a second it takes nine years.
  ///
  /// Offsets may be higher, the broker numbers as it likes.
  static let most: Int64 = 1 << 48

  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    for (key, value) in [
      ("start", start), ("end", end), ("good", good), ("dead", dead), ("absent", absent),
    ] {
      writer.key(key)
      writer.int(value)
    }
    writer.key("total")
    total.write(to: &writer)
    newest?.write(to: &writer)
    writer.endObject()
  }

  fileprivate init?(_ object: JSONObject) {
    guard let start = object.int64("start"), let end = object.int64("end"),
      let good = object.int64("good"), let dead = object.int64("dead"),
      let absent = object.int64("absent"), let total = object.object("total").flatMap(Total.init)
    else { return nil }
    var newest: RecordProof?
    if let given = object["newest"] {
      guard let read = RecordProof(given) else { return nil }
      newest = read
    }
    // From a file: sums of what is accepted here cannot overflow.
    guard [good, dead, absent].allSatisfy({ (0...Self.most).contains($0) }),
      min(start, end) >= 0, end - start <= Self.most,
      start <= Int64.max - (good + dead + absent)
    else { return nil }
    self.init(
      start: start, end: end, good: good, dead: dead, absent: absent, total: total, newest: newest)
  }
}

extension RecordProof {
  /// The member `newest` of a partition's account.
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("newest")
    writer.beginObject()
    writer.field("offset", offset)
    writer.field("hash", String(hash, radix: 16))
    writer.endObject()
  }

  fileprivate init?(_ value: JSONValue) {
    guard let object = value.objectValue, let offset = object.int64("offset"), offset >= 0,
      let hash = object.string("hash").flatMap({ UInt64($0, radix: 16) })
    else { return nil }
    self.init(offset: offset, hash: hash)
  }
}
