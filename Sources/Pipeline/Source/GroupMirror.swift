internal import Kafka

/// Shows the stream's position to Kafka's own tools, as the offsets of a consumer group.
///
/// Always behind the commit and never read: what the group says, or that it says nothing, changes
/// no run. A later run tells the group again, so a failure heals by itself.
struct GroupMirror {
  let group: String
  let consumer: KafkaConsumer
  let log: Log

  /// - Parameter offsets: the next offset to be read of each partition.
  func tell(_ offsets: [Int32: Int64]) { consumer.tellGroup(offsets) }

  /// Waits for the group's answer, for which a run that is told to stop has little time.
  func finish(isHurried: Bool) {
    do {
      try consumer.awaitGroup(timeout: isHurried ? .seconds(1) : .seconds(5))
    } catch {
      log.warning(
        "the offsets were not mirrored to the consumer group \(group): \(error.message); the "
          + "next run tries again, and no record depends on it", [("code", "OFFSETS_NOT_MIRRORED")])
    }
  }
}
