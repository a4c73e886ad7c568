internal import Kafka

/// Notices partitions that make no progress while their end is ahead.
///
/// librdkafka refetches some damaged record sets for ever without an error.
struct StallGuard {
  private let timeout: Int64
  private let topic: String
  private var seen: [Int32: (position: Int64, since: Int64)] = [:]

  init(timeout: Int64, topic: String) {
    self.timeout = timeout
    self.topic = topic
  }

  mutating func check(_ consumer: KafkaConsumer) throws {
    let now = MonotonicClock.milliseconds()
    for (partition, position) in consumer.unfinished {
      guard let before = seen[partition], before.position == position else {
        seen[partition] = (position, now)
        continue
      }
      guard now - before.since > timeout else { continue }
      throw stalled(partition, position, troubles: consumer.troubles)
    }
  }

  private func stalled(
    _ partition: Int32, _ position: Int64, troubles: [String]
  ) -> PipelineError {
    let seconds = timeout / 1000
    let place = "\(topic)/\(partition): no record from offset \(position) on for \(seconds) s"
    guard troubles.isEmpty else {
      return PipelineError(
        "KAFKA_UNAVAILABLE", .unavailable, "\(place): \(troubles.joined(separator: "; "))",
        remedy: "see that the brokers run and can be reached; the next run tries again")
    }
    return PipelineError(
      "PARTITION_STALLED", .source, "\(place), although the partition's end is ahead",
      remedy: "the broker serves something that cannot be read at this offset; look at the log "
        + "segment with Kafka's tools; the next run tries again")
  }
}
