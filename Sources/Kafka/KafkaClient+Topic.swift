internal import CRdKafka

extension KafkaClient {
  /// The topic's partitions and the cluster's id, asked for until `timeout` is over.
  ///
  /// A missing topic and a refused login are final and end the wait at once.
  func metadata(topic: String, timeout: Duration) throws(KafkaError) -> TopicMetadata {
    let deadline = ContinuousClock.now + timeout
    // The first slices are short, to notice a refused login; later ones let a slow broker answer.
    var slice = Duration.milliseconds(500)
    while true {
      do {
        let left = max(.zero, deadline - .now)
        return try askMetadata(topic: topic, timeout: min(slice, left))
      } catch {
        try throwIfHopeless()
        try throwIfUntrusted()
        guard error.isRetriable, ContinuousClock.now < deadline else { throw explained(error) }
        pause(until: deadline)
      }
      slice = min(slice * 2, timeout)
    }
  }

  /// Before the same question again: a short wait that runs the library's callbacks.
  private func pause(until deadline: ContinuousClock.Instant) {
    let wait = min(.milliseconds(100), max(.zero, deadline - .now))
    rd_kafka_poll(handle, wait.wholeMilliseconds)
  }

  private func askMetadata(topic: String, timeout: Duration) throws(KafkaError) -> TopicMetadata {
    guard let handleOfTopic = rd_kafka_topic_new(handle, topic, nil) else {
      throw KafkaError(library: rd_kafka_last_error(), doing: "topic \(topic)", topic: topic)
    }
    defer { rd_kafka_topic_destroy(handleOfTopic) }
    var answer: UnsafePointer<rd_kafka_metadata>?
    let error = rd_kafka_metadata(
      handle, 0, handleOfTopic, &answer, max(1, timeout.wholeMilliseconds))
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR, let answer else {
      throw KafkaError(library: error, doing: "no broker described topic \(topic)", topic: topic)
    }
    defer { rd_kafka_metadata_destroy(answer) }
    guard answer.pointee.topic_cnt == 1 else {
      throw Self.missing(topic)
    }
    var metadata = try Self.read(answer.pointee.topics[0], topic)
    if let id = rd_kafka_clusterid(handle, 1000) {
      metadata.clusterID = String(cString: id)
      rd_kafka_mem_free(handle, id)
    }
    return metadata
  }

  private static func read(
    _ answer: rd_kafka_metadata_topic, _ topic: String
  ) throws(KafkaError) -> TopicMetadata {
    if answer.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
      || answer.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
    {
      throw missing(topic)
    }
    if answer.err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION {
      throw KafkaError(
        KafkaError.Name.topicMissing, "the brokers do not accept \(topic) as a topic's name",
        topic: topic)
    }
    guard answer.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw KafkaError(library: answer.err, doing: "topic \(topic)", topic: topic)
    }
    var metadata = TopicMetadata(clusterID: nil, partitions: [], partitionPerLeader: [])
    var leaders: Set<Int32> = []
    for index in 0..<Int(answer.partition_cnt) {
      let partition = answer.partitions[index]
      try check(partition, of: topic)
      metadata.partitions.append(partition.id)
      if leaders.insert(partition.leader).inserted {
        metadata.partitionPerLeader.append(partition.id)
      }
    }
    guard !metadata.partitions.isEmpty else {
      throw KafkaError(
        library: RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, doing: "topic \(topic)", topic: topic)
    }
    metadata.partitions.sort()
    return metadata
  }

  private static func missing(_ topic: String) -> KafkaError {
    KafkaError(
      KafkaError.Name.topicMissing, "the brokers do not know the topic \(topic)", topic: topic)
  }

  /// A partition without a leader cannot be read; one that misses a replica can.
  private static func check(
    _ partition: rd_kafka_metadata_partition, of topic: String
  ) throws(KafkaError) {
    let error = partition.err
    guard error != RD_KAFKA_RESP_ERR_NO_ERROR, error != RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE
    else { return }
    throw KafkaError(
      library: error, doing: "partition \(partition.id) of topic \(topic)", topic: topic,
      partition: partition.id)
  }

  /// ListOffsets for each partition, repeated until all have answered.
  ///
  /// `rd_kafka_query_watermark_offsets` is not used: in librdkafka 2.0.2 it ignores its timeout
  /// when brokers are down, and can answer low = high for a partition that holds records.
  func offsets(
    topic: String, partitions: [Int32], at query: OffsetQuery, timeout: Duration
  ) throws(KafkaError) -> [Int32: Int64] {
    let deadline = ContinuousClock.now + timeout
    var found: [Int32: Int64] = [:]
    var missing = partitions
    while !missing.isEmpty {
      do {
        let answers = try askOffsets(topic, missing, query, max(.zero, deadline - .now))
        for (partition, offset) in answers { found[partition] = offset }
        missing.removeAll { answers[$0] != nil }
      } catch {
        try throwIfHopeless()
        guard error.isRetriable, ContinuousClock.now < deadline else { throw explained(error) }
        pause(until: deadline)
        // librdkafka before 2.10 goes on asking the old leader until it reads the metadata again.
        _ = try metadata(topic: topic, timeout: max(.zero, deadline - .now))
      }
    }
    return found.filter { $0.value >= 0 }
  }

  /// - Returns: -1 for a timestamp that no record reaches.
  private func askOffsets(
    _ topic: String, _ partitions: [Int32], _ query: OffsetQuery, _ timeout: Duration
  ) throws(KafkaError) -> [Int32: Int64] {
    guard let list = rd_kafka_topic_partition_list_new(Int32(partitions.count)) else {
      throw KafkaError(KafkaError.Name.system, "librdkafka gave no partition list")
    }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for partition in partitions {
      rd_kafka_topic_partition_list_add(list, topic, partition).pointee.offset = query.wireValue
    }
    let error = rd_kafka_offsets_for_times(handle, list, max(1, timeout.wholeMilliseconds))
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw KafkaError(library: error, doing: "no offsets of topic \(topic)", topic: topic)
    }
    var found: [Int32: Int64] = [:]
    for index in 0..<Int(list.pointee.cnt) {
      let element = list.pointee.elems[index]
      try check(element, of: topic, query)
      found[element.partition] = element.offset
    }
    return found
  }

  /// Each element for itself: the library has answered "no error" with an error in the element,
  /// and without an offset after a leader moved.
  private func check(
    _ element: rd_kafka_topic_partition_t, of topic: String, _ query: OffsetQuery
  ) throws(KafkaError) {
    var error = element.err
    if case .timestamp = query {
      // -1 is an answer: no record is as new as that.
    } else if error == RD_KAFKA_RESP_ERR_NO_ERROR, element.offset < 0 {
      error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE
    }
    guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
    throw KafkaError(
      library: error, doing: "no offset for partition \(element.partition) of topic \(topic)",
      topic: topic, partition: element.partition)
  }

  /// Throws what no waiting cures: a refused login, a client that gave itself up.
  func throwIfHopeless() throws(KafkaError) {
    rd_kafka_poll(handle, 0)
    let state = events.snapshot
    if let error = state.authentication ?? state.fatal { throw explained(error) }
  }

  /// While no broker has answered yet: throws when each is down and one has a bad certificate.
  private func throwIfUntrusted() throws(KafkaError) {
    let state = events.snapshot
    guard state.isUntrusted, let reason = state.tls else { return }
    throw explained(KafkaError(KafkaError.Name.tls, reason))
  }

  /// Adds what the connections reported, and the trap of older libraries that looks like a wrong
  /// password.
  func explained(_ error: KafkaError) -> KafkaError {
    var result = error
    let state = events.snapshot
    let reasons = state.reasons.filter { !error.message.contains($0) }
    if !reasons.isEmpty {
      result.message += ". " + reasons.joined(separator: "; ")
    } else if error.isRetriable, error.code < 0 {
      result.message += ". No answer in time from \(brokers)"
    }
    // What could not be reached because of TLS is no matter of waiting.
    if error.isRetriable, state.tls != nil { result.name = KafkaError.Name.tls }
    if error.isAuthentication, !mechanism.isEmpty {
      result.message += " (user \(user), mechanism \(mechanism))"
      if let warning = KafkaLibrary.scramWarning(mechanism: mechanism) {
        result.message += ". " + warning
      }
    }
    return result
  }
}
