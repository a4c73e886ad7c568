internal import Kafka

/// What is asked of the brokers before any record is read.
extension KafkaConsumer {
  /// A client as the configuration describes it, connected.
  ///
  /// - Parameter expectedPartitions: saves the second client that an unexpected number takes.
  static func open(
    _ configuration: Configuration, expectedPartitions: Int, log: Log
  ) throws -> KafkaConsumer {
    let kafka = configuration.kafka
    let settings = KafkaConfiguration(
      brokers: kafka.brokers, clientID: kafka.clientID,
      properties: kafka.clientProperties.map { ($0.name, $0.value) },
      queueBytes: configuration.limits.fetchBytes, expectedPartitions: expectedPartitions,
      group: kafka.mirrorGroup,
      log: { line in log.debug("librdkafka: \(line.facility): \(line.message)") })
    return try open(settings, topic: kafka.topic, timeout: kafka.connectTimeout)
  }

  /// What each partition holds right now.
  func bounds(timeout: Duration) throws -> TopicBounds {
    TopicBounds(
      beginning: try offsets(of: metadata.partitions, at: .beginning, timeout: timeout),
      end: try offsets(of: metadata.partitions, at: .end, timeout: timeout))
  }

  /// The offset in each partition that `wanted` means.
  ///
  /// - Parameter setting: where an operator wrote it, for errors.
  /// - Throws: `STARTING_OFFSETS` for an offset that a partition does not have, or a partition
  ///   without one.
  func position(
    _ wanted: StartingOffsets, in bounds: TopicBounds, timeout: Duration, setting: String
  ) throws -> [Int32: Int64] {
    switch wanted {
    case .earliest: return bounds.beginning
    case .latest: return bounds.end
    case .timestamp(let milliseconds):
      let found = try offsets(
        of: metadata.partitions, at: .timestamp(milliseconds), timeout: timeout)
      return bounds.end.merging(found) { $1 }
    case .offsets(let offsets):
      return try bounds.end.sorted { $0.key < $1.key }.reduce(into: [:]) { position, entry in
        position[entry.key] = try bounds.offset(offsets[entry.key], of: entry.key, setting)
      }
    }
  }
}

extension TopicBounds {
  fileprivate func offset(
    _ wanted: Int64?, of partition: Int32, _ setting: String
  ) throws -> Int64 {
    let beginning = beginning[partition] ?? 0
    let end = end[partition] ?? beginning
    guard let wanted else {
      throw PipelineError(
        "STARTING_OFFSETS", .configuration,
        "\(setting) names no offset for partition \(partition)",
        remedy: "name every partition of the topic; -2 is its beginning, -1 its end")
    }
    if wanted == -2 { return beginning }
    if wanted == -1 { return end }
    guard (beginning...end).contains(wanted) else {
      throw PipelineError(
        "STARTING_OFFSETS", .configuration,
        "\(setting): partition \(partition) holds offsets \(beginning) to \(end), not \(wanted)",
        remedy: "name an offset inside that range, or -2 for its beginning")
    }
    return wanted
  }
}

extension KafkaConsumer {
  /// The offset in each partition that an operator's `--to` means.
  ///
  /// - Throws: `STARTING_OFFSETS` when it is about another topic, or about offsets that are not.
  func position(
    _ goal: ResetGoal, in bounds: TopicBounds, _ kafka: KafkaSettings
  ) throws -> [Int32: Int64] {
    if let topic = goal.topic, topic != kafka.topic {
      throw PipelineError(
        "STARTING_OFFSETS", .configuration,
        "--to names offsets of \"\(topic)\", kafka.topic is \"\(kafka.topic)\"",
        remedy: "name the offsets of kafka.topic")
    }
    return try position(
      goal.start, in: bounds, timeout: kafka.connectTimeout, setting: "--to")
  }
}
