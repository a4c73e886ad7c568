internal import JSON

/// The Kafka source's offset: `{"topic":{"partition":offset,…}}`, each the next one to read.
package struct KafkaOffsetsJSON: Equatable, Sendable {
  package var topic: String
  package var offsets: [Int32: Int64]
  /// The partitions as they stand in the text.
  package var order: [Int32]

  /// In which order partitions are written.
  ///
  /// Spark compares offsets as text when it asks whether there is new data, so a text in its own
  /// order saves it one empty batch after a hand-over.
  package enum KeyOrder: Equatable, Sendable {
    /// Spark 4 (Scala 2.13).
    case ascending
    /// Spark 3 (Scala 2.12): the iteration order of its mutable hash map.
    case spark3
    /// As in an existing file, when it names the same partitions; else ascending.
    case like([Int32])
  }

  /// Reads one topic's offsets.
  /// - Parameters:
  ///   - path: the file and line it stands in, for errors.
  ///   - lowest: 0, or -2 where -1 and -2 stand for the end and the beginning.
  package static func parse(
    _ text: String, path: String, lowest: Int64 = 0
  ) throws(CheckpointError) -> KafkaOffsetsJSON {
    let object = try LogFile.object(text, path: path, field: "offsets")
    guard object.members.count == 1, let entry = object.members.first,
      let partitions = entry.value.objectValue
    else {
      throw CheckpointError(
        path: path, field: "offsets", expected: "one topic with its partitions",
        found: CheckpointError.excerpt(text))
    }
    var result = KafkaOffsetsJSON(topic: entry.key, offsets: [:], order: [])
    for (key, value) in partitions.members {
      guard let partition = Int32(key), partition >= 0, result.offsets[partition] == nil else {
        throw CheckpointError(
          path: path, field: entry.key, expected: "partition numbers, each once",
          found: CheckpointError.excerpt(key))
      }
      guard let offset = value.int64Value, offset >= lowest else {
        throw CheckpointError(
          path: path, field: "\(entry.key), partition \(key)", expected: "an offset",
          found: CheckpointError.excerpt(value.text))
      }
      result.offsets[partition] = offset
      result.order.append(partition)
    }
    return result
  }

  /// The text that Spark would write.
  package static func text(topic: String, offsets: [Int32: Int64], order: KeyOrder) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key(topic)
    writer.beginObject()
    for partition in sequence(of: Array(offsets.keys), order: order) {
      if let offset = offsets[partition] { writer.field(String(partition), offset) }
    }
    writer.endObject()
    writer.endObject()
    return writer.text
  }

  private static func sequence(of partitions: [Int32], order: KeyOrder) -> [Int32] {
    let ascending = partitions.sorted()
    switch order {
    case .ascending: return ascending
    case .spark3: return ScalaHashOrder.iterationOrder(ofInserting: ascending)
    case .like(let known): return known.sorted() == ascending ? known : ascending
    }
  }
}

/// The iteration order of Scala 2.12's `mutable.HashMap[Int, …]`.
enum ScalaHashOrder {
  /// - Parameter keys: in the order of insertion.
  static func iterationOrder(ofInserting keys: [Int32]) -> [Int32] {
    var buckets = [[Int32]](repeating: [], count: 16)
    var count = 0
    for key in keys {
      buckets[index(of: key, in: buckets.count)].insert(key, at: 0)
      count += 1
      if count > buckets.count * 3 / 4 { grow(&buckets) }
    }
    return buckets.reversed().flatMap { $0 }
  }

  private static func grow(_ buckets: inout [[Int32]]) {
    var larger = [[Int32]](repeating: [], count: buckets.count * 2)
    for bucket in buckets.reversed() {
      for key in bucket { larger[index(of: key, in: larger.count)].insert(key, at: 0) }
    }
    buckets = larger
  }

  /// `HashTable.index`: the improved hash, rotated, its highest bits.
  private static func index(of key: Int32, in bucketCount: Int) -> Int {
    let mixed = byteSwap(UInt32(bitPattern: key))
    let rotated = (mixed >> 4) | (mixed << 28)
    let mask = UInt32(bucketCount - 1)
    return Int((rotated >> UInt32(mask.leadingZeroBitCount)) & mask)
  }

  /// `scala.util.hashing.byteswap32`.
  private static func byteSwap(_ value: UInt32) -> UInt32 {
    (value &* 0x9e37_75cd).byteSwapped &* 0x9e37_75cd
  }
}
