internal import CRdKafka

/// An idempotent producer: each record is in the log once, in order, or the flush says it is not.
package final class KafkaProducer {
  private let client: KafkaClient

  package init(_ configuration: KafkaConfiguration) throws(KafkaError) {
    client = try KafkaClient(
      RD_KAFKA_PRODUCER, configuration, defaults: [("linger.ms", "20")],
      settings: [("enable.idempotence", "true")])
  }

  /// Hands a record over; waits while the library's queue is full.
  ///
  /// - Parameters:
  ///   - partition: `nil` lets the key decide.
  ///   - timestampMs: milliseconds since 1970; 0 means now.
  package func send(
    topic: String, key: [UInt8]?, value: [UInt8]?, headers: [(name: String, value: [UInt8]?)] = [],
    partition: Int32? = nil, timestampMs: Int64 = 0
  ) throws(KafkaError) {
    let target = rd_kafka_topic_new(client.handle, topic, nil)
    guard let target else {
      throw KafkaError(library: rd_kafka_last_error(), doing: "topic \(topic)", topic: topic)
    }
    defer { rd_kafka_topic_destroy(target) }
    while true {
      let error = produce(
        target, key: key, value: value, headers: headers, partition: partition,
        timestampMs: timestampMs)
      if error == RD_KAFKA_RESP_ERR_NO_ERROR { break }
      guard error == RD_KAFKA_RESP_ERR__QUEUE_FULL else {
        throw KafkaError(library: error, doing: "cannot produce to \(topic)", topic: topic)
      }
      rd_kafka_poll(client.handle, 100)
    }
    rd_kafka_poll(client.handle, 0)
  }

  /// Waits until everything handed over was delivered.
  ///
  /// - Throws: `DELIVERY_FAILED` with the number of records that were not, or the time-out.
  package func flush(timeout: Duration) throws(KafkaError) {
    let error = rd_kafka_flush(client.handle, timeout.wholeMilliseconds)
    let state = client.events.snapshot
    client.events.resetDeliveries()
    if let first = state.firstDeliveryError {
      throw KafkaError(
        KafkaError.Name.deliveryFailed,
        "\(state.failedDeliveries) records were not delivered; the first: \(first.message)")
    }
    guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
      let waiting = rd_kafka_outq_len(client.handle)
      throw client.explained(
        KafkaError(library: error, doing: "\(waiting) records wait to be delivered"))
    }
  }

  private func produce(
    _ topic: OpaquePointer, key: [UInt8]?, value: [UInt8]?,
    headers: [(name: String, value: [UInt8]?)], partition: Int32?, timestampMs: Int64
  ) -> rd_kafka_resp_err_t {
    var fields = [
      field(RD_KAFKA_VTYPE_RKT) { $0.rkt = topic },
      field(RD_KAFKA_VTYPE_PARTITION) { $0.i32 = partition ?? RD_KAFKA_PARTITION_UA },
      field(RD_KAFKA_VTYPE_MSGFLAGS) { $0.i = RD_KAFKA_MSG_F_COPY },
      field(RD_KAFKA_VTYPE_TIMESTAMP) { $0.i64 = timestampMs },
    ]
    let headerList = headers.isEmpty ? nil : rd_kafka_headers_new(headers.count)
    for header in headers {
      withMemory(of: header.value) { start, count in
        _ = rd_kafka_header_add(headerList, header.name, -1, start, start == nil ? 0 : count)
      }
    }
    if headerList != nil {
      fields.append(field(RD_KAFKA_VTYPE_HEADERS) { $0.headers = headerList })
    }
    let failure = withMemory(of: key) { keyStart, keySize in
      withMemory(of: value) { valueStart, valueSize in
        fields.append(
          field(RD_KAFKA_VTYPE_KEY) { $0.mem = .init(ptr: keyStart, size: keySize) })
        fields.append(
          field(RD_KAFKA_VTYPE_VALUE) { $0.mem = .init(ptr: valueStart, size: valueSize) })
        return rd_kafka_produceva(client.handle, fields, fields.count)
      }
    }
    guard let failure else { return RD_KAFKA_RESP_ERR_NO_ERROR }
    defer { rd_kafka_error_destroy(failure) }
    if let headerList { rd_kafka_headers_destroy(headerList) }
    return rd_kafka_error_code(failure)
  }

  private func field(
    _ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_t.__Unnamed_union_u) -> Void
  ) -> rd_kafka_vu_t {
    var field = rd_kafka_vu_t()
    field.vtype = type
    set(&field.u)
    return field
  }

  /// A null pointer for a null value; an empty value keeps a pointer, which librdkafka tells apart.
  private func withMemory<Result>(
    of bytes: [UInt8]?, _ body: (UnsafeMutableRawPointer?, Int) -> Result
  ) -> Result {
    guard let bytes else { return body(nil, 0) }
    // One byte more, so that an empty array has an address too; the library copies only `count`.
    var copy = bytes + [0]
    return copy.withUnsafeMutableBytes { body($0.baseAddress, bytes.count) }
  }
}
