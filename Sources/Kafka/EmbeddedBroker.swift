internal import CRdKafka

/// librdkafka's mock cluster: brokers on loopback ports inside this process, for tests and the demo.
///
/// It keeps at most 5 MiB of each partition, forgets everything when the process ends, and answers
/// any client over TCP.
package final class EmbeddedBroker {
  private let client: KafkaClient
  private let cluster: OpaquePointer

  /// - Parameter brokers: how many, at least 1.
  package init(brokers: Int32 = 1) throws(KafkaError) {
    client = try KafkaClient(
      RD_KAFKA_PRODUCER, KafkaConfiguration(brokers: ["127.0.0.1:1"]), defaults: [],
      settings: [])
    guard let cluster = rd_kafka_mock_cluster_new(client.handle, brokers) else {
      throw KafkaError(KafkaError.Name.system, "cannot start librdkafka's mock cluster")
    }
    self.cluster = cluster
  }

  deinit { rd_kafka_mock_cluster_destroy(cluster) }

  /// `host:port` of each broker, joined by commas.
  package var bootstrapServers: String { text(rd_kafka_mock_cluster_bootstraps(cluster)) }

  package func createTopic(_ name: String, partitions: Int32) throws(KafkaError) {
    let error = rd_kafka_mock_topic_create(cluster, name, partitions, 1)
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
      throw KafkaError(library: error, doing: "cannot create topic \(name)", topic: name)
    }
  }

  /// Makes the next Fetch requests fail, in order, each with one of these protocol error codes.
  package func failNextFetches(with codes: [Int32]) {
    let errors = codes.map { rd_kafka_resp_err_t($0) }
    rd_kafka_mock_push_request_errors_array(cluster, 1, errors.count, errors)
  }
}
