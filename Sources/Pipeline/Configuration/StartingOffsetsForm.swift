import Clickstream
import JSON

/// How `kafka.starting_offsets` is written: a word, a time, or Spark's JSON of offsets.
enum StartingOffsetsForm {
  static let expectation =
    "\"earliest\", \"latest\", a time such as \"2026-01-31T00:00:00Z\", or offsets such as "
    + "'{\"clickstream-events\":{\"0\":12,\"1\":-2}}'"

  /// `nil` for everything else; whether the topic is ours is checked with the topic.
  static func read(_ value: TOMLValue) -> StartingOffsets? {
    switch value {
    case .string("earliest"): .earliest
    case .string("latest"): .latest
    case .string(let text) where text.first == "{": offsets(text).map { .offsets($0.offsets) }
    case .string(let text), .moment(let text): timestamp(text)
    default: nil
    }
  }

  /// Times before 1970 are no record's: Kafka has none before its epoch.
  private static func timestamp(_ text: String) -> StartingOffsets? {
    let instant = Array(text.utf8).withUnsafeBytes { EventTime.parse($0) }
    guard let instant, instant >= 0 else { return nil }
    // Rounded up: the first record at or after the time, and Kafka counts in milliseconds.
    return .timestamp(milliseconds: (instant + 999) / 1000)
  }

  /// One topic with at least one partition; -2 is earliest, -1 latest.
  static func offsets(_ text: String) -> (topic: String, offsets: [Int32: Int64])? {
    guard let topics = try? JSONValue.parse(text).objectValue, topics.members.count == 1,
      let topic = topics.members.first, let partitions = topic.value.objectValue,
      !partitions.members.isEmpty
    else { return nil }
    var offsets: [Int32: Int64] = [:]
    for member in partitions.members {
      guard let partition = Int32(member.key), partition >= 0, String(partition) == member.key,
        let offset = member.value.int64Value, offset >= -2, offsets[partition] == nil
      else { return nil }
      offsets[partition] = offset
    }
    return (topic.key, offsets)
  }
}
