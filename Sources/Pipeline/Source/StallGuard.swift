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
      throw stalled(partition, position, consumer)
    }
  }

  private func stalled(
    _ partition: Int32, _ position: Int64, _ consumer: KafkaConsumer
  ) -> PipelineError {
    let place =
      "\(topic)/\(partition): no record from offset \(position) on for \(timeout / 1000) s"
    let end: Int64
    do {
      end = try consumer.offsets(of: [partition], at: .end, timeout: .seconds(1))[partition] ?? 0
    } catch {
      let cause = PipelineError.translating(error)
      return PipelineError(
        cause.code, cause.kind, "\(place): \(cause.message)", remedy: cause.remedy)
    }
    if end <= position {
      return PipelineError(
        "LOG_TRUNCATED", .source,
        "\(place): the broker's log now ends at \(end), it held more when this run began",
        remedy: "a change of leaders lost the newest records, or the topic was made anew; "
          + "`shopmetricsctl checkpoint show` prints what was planned")
    }
    let troubles = consumer.troubles
    guard troubles.isEmpty else {
      return PipelineError(
        "KAFKA_UNAVAILABLE", .unavailable, "\(place): \(troubles.joined(separator: "; "))",
        remedy: "see that the brokers run and can be reached; the next run tries again")
    }
    return PipelineError(
      "PARTITION_STALLED", .source,
      "\(place), although the partition's end is \(end) and nobody reported an error",
      remedy: "the broker answers without records, or with something that cannot be read at this "
        + "offset; look at its log and at the segment with Kafka's tools; the next run tries again")
  }
}
