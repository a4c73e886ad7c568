internal import CRdKafka
internal import Glibc

extension KafkaClient {
  /// The topic's partitions and the cluster's id.
  func metadata(topic: String, timeout: Duration) throws(KafkaError) -> TopicMetadata {
    let deadline = ContinuousClock.now + timeout
    while true {
      do {
        return try askMetadata(topic: topic, timeout: max(.zero, deadline - .now))
      } catch {
        // A topic that was just created has no leaders for a moment.
        guard error.isRetriable, error.code > 0, ContinuousClock.now < deadline,
          error.name != KafkaError.Name.topicMissing
        else { throw error }
        usleep(100_000)
      }
    }
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
      throw unreachable(error, doing: "cannot ask for topic \(topic)")
    }
    defer { rd_kafka_metadata_destroy(answer) }
    guard answer.pointee.topic_cnt == 1 else {
      throw KafkaError(KafkaError.Name.topicMissing, "no topic \(topic) here", topic: topic)
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
      throw KafkaError(
        KafkaError.Name.topicMissing, "the brokers do not know the topic \(topic)", topic: topic)
    }
    guard answer.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw KafkaError(library: answer.err, doing: "topic \(topic)", topic: topic)
    }
    var metadata = TopicMetadata(clusterID: nil, partitions: [], partitionPerLeader: [])
    var leaders: Set<Int32> = []
    for index in 0..<Int(answer.partition_cnt) {
      let partition = answer.partitions[index]
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
        guard error.isRetriable, ContinuousClock.now < deadline else { throw error }
        usleep(100_000)
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
      throw unreachable(error, doing: "cannot ask for the offsets of \(topic)")
    }
    var found: [Int32: Int64] = [:]
    for index in 0..<Int(list.pointee.cnt) {
      let element = list.pointee.elems[index]
      guard element.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
        throw KafkaError(
          library: element.err, doing: "\(topic), partition \(element.partition)", topic: topic,
          partition: element.partition)
      }
      // The library has answered "no error" with no offset after a leader moved: ask again.
      if element.offset < 0, case .timestamp = query {} else if element.offset < 0 {
        throw KafkaError(
          library: RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
          doing: "\(topic), partition \(element.partition)", topic: topic,
          partition: element.partition)
      }
      found[element.partition] = element.offset
    }
    return found
  }

  /// An error with the reasons that the connections reported.
  func unreachable(_ error: rd_kafka_resp_err_t, doing: String) -> KafkaError {
    rd_kafka_poll(handle, 0)
    let state = events.snapshot
    if let authentication = state.authentication { return authentication }
    let detail = state.reasons.isEmpty ? nil : state.reasons.joined(separator: "; ")
    return KafkaError(library: error, doing: doing, detail: detail)
  }
}
