internal import CRdKafka

/// Offsets for the eyes of others: nothing here is ever read back.
extension KafkaConsumer {
  /// Commits `offsets` to the configured group, without waiting for the answer.
  ///
  /// As a consumer outside of the group does: Kafka takes that while the group has no members.
  package func tellGroup(_ offsets: [Int32: Int64]) {
    guard let list = rd_kafka_topic_partition_list_new(Int32(offsets.count)) else { return }
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for (partition, offset) in offsets {
      rd_kafka_topic_partition_list_add(list, topic, partition).pointee.offset = offset
    }
    groupQuestions += 1
    let error = rd_kafka_commit(client.handle, list, 1)
    if error != RD_KAFKA_RESP_ERR_NO_ERROR {
      client.events.groupAnswered(KafkaError(library: error, doing: "offsets not taken"))
    }
  }

  /// Waits for the group's answers.
  ///
  /// - Throws: what the group said to the newest offsets, or the time-out.
  package func awaitGroup(timeout: Duration) throws(KafkaError) {
    let deadline = ContinuousClock.now + timeout
    while client.events.snapshot.groupAnswers < groupQuestions {
      guard ContinuousClock.now < deadline else {
        throw client.explained(
          KafkaError(
            library: RD_KAFKA_RESP_ERR__TIMED_OUT, doing: "the group has not answered"))
      }
      rd_kafka_consumer_poll(client.handle, 20).map { rd_kafka_message_destroy($0) }
    }
    if let error = client.events.snapshot.groupError { throw error }
  }
}
