internal import CRdKafka

/// librdkafka's mock cluster: brokers on loopback ports in this process, for tests and the demo.
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

  /// The requests that can be made to fail, by their number in the Kafka protocol.
  package enum Request: Int16, Sendable {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case metadata = 3
  }

  /// Makes the next requests fail, in order, each with one of these protocol error codes.
  package func failNext(_ request: Request, with codes: [Int32]) {
    let errors = codes.map { rd_kafka_resp_err_t($0) }
    rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
  }

  /// Cuts a broker's connections and refuses new ones, or lets them in again.
  ///
  /// Counted from 1.
  package func setBroker(_ number: Int32, isUp: Bool) {
    if isUp {
      rd_kafka_mock_broker_set_up(cluster, number)
    } else {
      rd_kafka_mock_broker_set_down(cluster, number)
    }
  }

  /// Lets each answer of a broker, counted from 1, come so many milliseconds later.
  package func setDelay(ofBroker number: Int32, milliseconds: Int32) {
    rd_kafka_mock_broker_set_rtt(cluster, number, milliseconds)
  }

  /// Moves a partition to another broker.
  package func setLeader(ofTopic topic: String, partition: Int32, to broker: Int32) {
    rd_kafka_mock_partition_set_leader(cluster, topic, partition, broker)
  }
}
