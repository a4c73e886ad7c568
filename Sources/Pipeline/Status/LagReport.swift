package import JSON
internal import Kafka
internal import StreamCheckpoint

/// How far the stream is behind its topic: the checkpoint beside what the brokers say.
package struct LagReport: Equatable, Sendable {
  package struct Partition: Equatable, Sendable {
    package var partition: Int32
    /// The next offset that the stream needs.
    package var position: Int64
    /// What the brokers have: the first offset, and the one after the last; `nil` for a partition
    /// that they do not know.
    package var beginning: Int64?
    package var end: Int64?
    /// Kafka's time of the first record that waits; `nil` when none does, or none was shown in
    /// time.
    package var oldestWaitingMs: Int64?
    /// Why a run would stop here: the code of its error, and what it says.
    package var code: String?
    package var trouble: String?

    /// Offsets that wait.
    package var lag: Int64 { max(0, (end ?? position) - position) }
  }

  package var topic: String
  package var clusterID: String?
  package var askedMs: Int64
  package var partitions: [Partition]
  /// How fast a running daemon reads; `nil` when there is none, or it has not read yet.
  package var recordsPerSecond: Double?

  package var lag: Int64 { partitions.reduce(0) { $0 + $1.lag } }
  package var isStopped: Bool { partitions.contains { $0.code != nil } }

  /// Until the lag is gone at the present speed.
  package var remainingMs: Int64? {
    guard let recordsPerSecond, recordsPerSecond > 0 else { return nil }
    return Int64(exactly: (Double(lag) * 1000 / recordsPerSecond).rounded())
  }

  /// Reads the checkpoint and asks the brokers; for about ten seconds each of them.
  ///
  /// - Throws: `PipelineError`, as a run would for the same reason.
  package static func ask(
    _ configuration: Configuration, log: Log
  ) throws(PipelineError) -> LagReport {
    var settings = configuration
    // Somebody waits for the answer, and a run may need its memory meanwhile.
    settings.kafka.connectTimeout = min(settings.kafka.connectTimeout, .seconds(10))
    settings.limits.fetchBytes = 1 << 20
    do {
      return try inquire(settings, log)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private static func inquire(_ configuration: Configuration, _ log: Log) throws -> LagReport {
    let kafka = configuration.kafka
    let committed = try StateReader(configuration).committedPosition()
    let consumer = try KafkaConsumer.open(
      configuration, expectedPartitions: committed?.count ?? 0, log: log)
    defer { consumer.close() }
    let bounds = try consumer.bounds(timeout: kafka.connectTimeout)
    let position =
      try committed
      ?? consumer.position(
        kafka.startingOffsets, in: bounds, timeout: kafka.connectTimeout,
        setting: "kafka.starting_offsets")
    var report = LagReport(
      topic: kafka.topic, clusterID: consumer.metadata.clusterID,
      askedMs: wallClockMilliseconds(), partitions: [])
    for partition in Set(position.keys).union(bounds.end.keys).sorted() {
      report.partitions.append(
        Partition(partition, position[partition], bounds, configuration))
    }
    try report.findOldest(consumer)
    return report
  }

  /// Looks at the first record that waits in each partition.
  private mutating func findOldest(_ consumer: KafkaConsumer) throws {
    let waiting = partitions.filter { $0.code == nil && $0.lag > 0 }
    guard !waiting.isEmpty else { return }
    func offsets(_ offset: (Partition) -> Int64?) -> [Int32: Int64] {
      waiting.reduce(into: [:]) { $0[$1.partition] = offset($1) }
    }
    var found: [Int32: Int64] = [:]
    try consumer.assign(offsets { max($0.position, $0.beginning ?? $0.position) })
    consumer.beginBatch(upTo: offsets(\.end))
    let deadline = MonotonicClock.milliseconds() + 5000
    while found.count < waiting.count, !consumer.batchIsDone,
      MonotonicClock.milliseconds() < deadline
    {
      _ = try consumer.poll(timeoutMilliseconds: 100) { message in
        if found[message.partition] == nil { found[message.partition] = message.timestampMs }
      }
    }
    for index in partitions.indices {
      guard let time = found[partitions[index].partition], time >= 0 else { continue }
      partitions[index].oldestWaitingMs = time
    }
  }
}

extension LagReport.Partition {
  /// A run would plan from the same numbers, and stop for the same reasons.
  fileprivate init(
    _ partition: Int32, _ position: Int64?, _ bounds: TopicBounds, _ configuration: Configuration
  ) {
    self.partition = partition
    beginning = bounds.beginning[partition]
    end = bounds.end[partition]
    self.position = position ?? 0
    do {
      _ = try KafkaPlan(
        topic: configuration.kafka.topic,
        position: position.map { [partition: $0] } ?? [:], pendingEnd: nil,
        bounds: TopicBounds(
          beginning: bounds.beginning.filter { $0.key == partition },
          end: bounds.end.filter { $0.key == partition }),
        onMissingData: configuration.loss.onMissingData)
    } catch {
      let problem = PipelineError.translating(error)
      (code, trouble) = (problem.code, problem.message)
    }
  }
}

// MARK: - JSON

extension LagReport {
  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("topic", topic)
    writer.field("clusterId", optional: clusterID)
    writer.field("askedMs", askedMs)
    writer.field("lag", lag)
    writer.key("recordsPerSecond")
    if let recordsPerSecond { writer.double(recordsPerSecond) } else { writer.null() }
    writer.field("remainingMs", optional: remainingMs)
    writer.key("partitions")
    writer.beginArray()
    for partition in partitions { partition.write(to: &writer) }
    writer.endArray()
    writer.endObject()
  }

  /// Reads it back; `nil` when a member is missing or of another type.
  package init?(_ object: JSONObject) {
    guard let topic = object.string("topic"), let askedMs = object.int64("askedMs"),
      let partitions = object.array("partitions")
    else { return nil }
    self.init(
      topic: topic, clusterID: object.string("clusterId"), askedMs: askedMs,
      partitions: partitions.compactMap { $0.objectValue.flatMap(Partition.init) },
      recordsPerSecond: object["recordsPerSecond"]?.doubleValue)
  }
}

extension LagReport.Partition {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("partition", Int64(partition))
    writer.field("checkpoint", position)
    writer.field("beginning", optional: beginning)
    writer.field("end", optional: end)
    writer.field("lag", lag)
    writer.field("oldestWaitingMs", optional: oldestWaitingMs)
    writer.field("code", optional: code)
    writer.field("trouble", optional: trouble)
    writer.endObject()
  }

  fileprivate init?(_ object: JSONObject) {
    guard let partition = object.int64("partition").flatMap(Int32.init(exactly:)),
      let position = object.int64("checkpoint")
    else { return nil }
    self.init(
      partition: partition, position: position, beginning: object.int64("beginning"),
      end: object.int64("end"), oldestWaitingMs: object.int64("oldestWaitingMs"),
      code: object.string("code"), trouble: object.string("trouble"))
  }
}
