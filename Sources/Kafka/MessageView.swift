package import CRdKafka

/// One Kafka record, borrowed from librdkafka: valid only inside the call that handed it over.
package struct MessageView {
  @usableFromInline let message: UnsafeMutablePointer<rd_kafka_message_t>

  @inlinable init(_ message: UnsafeMutablePointer<rd_kafka_message_t>) { self.message = message }

  @inlinable package var partition: Int32 { message.pointee.partition }
  @inlinable package var offset: Int64 { message.pointee.offset }

  /// The record's time in milliseconds since 1970, of the producer or of the broker as the topic
  /// is configured; -1 when the record has none.
  ///
  /// Messages of format 0 carry no time; the library then returns 0 and says so in the type only.
  @inlinable package var timestampMs: Int64 {
    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    let milliseconds = rd_kafka_message_timestamp(message, &type)
    return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : milliseconds
  }

  /// nil: the record has no key.
  ///
  /// An empty key is an empty buffer.
  @inlinable package var key: UnsafeRawBufferPointer? {
    guard let start = message.pointee.key else { return nil }
    return UnsafeRawBufferPointer(start: start, count: message.pointee.key_len)
  }

  /// nil: a null value (a tombstone).
  ///
  /// An empty value is an empty buffer.
  @inlinable package var value: UnsafeRawBufferPointer? {
    guard let start = message.pointee.payload else { return nil }
    return UnsafeRawBufferPointer(start: start, count: message.pointee.len)
  }

  /// The headers in their order, repeated names included, as
  /// `[["name","base64 of the value"],["other",null]]`; nil when the record has none.
  ///
  /// Parses the headers, which reading a record otherwise never does: for rejected records only.
  package func headersJSON() -> String? {
    var headers: OpaquePointer?
    guard rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR,
      let headers
    else { return nil }
    return HeadersJSON.text(headers)
  }
}
