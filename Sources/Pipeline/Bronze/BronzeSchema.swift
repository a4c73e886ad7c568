package import Clickstream
package import DeltaLake

/// The columns of the two Bronze tables.
package enum BronzeSchema {
  /// `bronze.clickstream_raw`: one row per good record.
  package static let raw = StructType([
    StructField("event_id", .string, comment: "The producer's id of the event"),
    StructField("customer_id", .string, comment: "Null for an anonymous visitor"),
    StructField("product_id", .string, comment: "Null where the event has no product"),
    StructField("event_type", .string, comment: "page_view, add_to_cart, purchase, search, …"),
    StructField("session_id", .string, comment: "The browser's session"),
    StructField("page", .string, comment: "The page the event happened on"),
    StructField("event_ts", .timestamp, comment: "When it happened, by the producer's clock"),
    StructField("kafka_topic", .string, comment: "Where the record came from"),
    StructField("kafka_partition", .integer, comment: "Where the record came from"),
    StructField("kafka_offset", .long, comment: "Unique together with kafka_partition"),
    StructField("kafka_timestamp", .timestamp, comment: "Kafka's timestamp of the record"),
    StructField("ingested_at", .timestamp, comment: "The batch's timestamp"),
    StructField(
      "rescued_data", .string, comment: "JSON object of the fields that the schema does not know"),
  ])

  /// `bronze.clickstream_dead_letter`: one row per record that is not an event.
  package static let deadLetter = StructType([
    StructField("raw_value", .binary, comment: "The record's value, whole; null for a null value"),
    StructField("raw_key", .binary, comment: "The record's key"),
    StructField("headers", .string, comment: "JSON array of [name, value in Base64 or null]"),
    StructField("kafka_topic", .string, comment: "Where the record came from"),
    StructField("kafka_partition", .integer, comment: "Where the record came from"),
    StructField("kafka_offset", .long, comment: "Unique together with kafka_partition"),
    StructField("kafka_timestamp", .timestamp, comment: "Kafka's timestamp of the record"),
    StructField("ingested_at", .timestamp, comment: "The batch's timestamp"),
    StructField("failure_reason", .string, comment: "Why it is not an event, one of a fixed list"),
    StructField("failure_detail", .string, comment: "Field, byte position, expected, found"),
  ])

  /// The table columns of the configuration's declared ones.
  package static func declared(_ columns: [DeclaredColumn]) -> [StructField] {
    columns.map { column in
      StructField(
        column.name, column.type.dataType, comment: "JSON field \(column.field), as declared")
    }
  }
}

extension DeclaredType {
  fileprivate var dataType: DataType {
    switch self {
    case .string: .string
    case .long: .long
    case .double: .double
    case .boolean: .boolean
    case .timestamp: .timestamp
    }
  }
}
