package import DeltaLake

/// The columns and the properties of `silver.clickstream_sessions`.
package enum SessionsSchema {
  /// One row per session; `is_final` is the partition column.
  package static let table = StructType([
    StructField("session_id", .string, comment: "Visitor, \"-\", µs since 1970 of its first event"),
    StructField("customer_id", .string, comment: "Null for an anonymous visitor"),
    StructField("session_date", .date, comment: "The UTC day of the first event"),
    StructField("first_event_ts", .timestamp, comment: "When the session began"),
    StructField("last_event_ts", .timestamp, comment: "Its newest event"),
    StructField("session_duration_secs", .long, comment: "Whole seconds from first to last event"),
    StructField("event_count", .integer, comment: "Unique events of any type"),
    StructField("page_view_count", .integer, comment: "Events of the type page_view"),
    StructField("add_to_cart_count", .integer, comment: "Events of the type add_to_cart"),
    StructField("purchase_count", .integer, comment: "Events of the type purchase"),
    StructField("search_count", .integer, comment: "Events of the type search"),
    StructField("converted", .boolean, comment: "Whether there is a purchase"),
    StructField("is_final", .boolean, comment: "False while further events are expected"),
    StructField("updated_at", .timestamp, comment: "The batch that last changed the row"),
  ])

  /// A file's rows are all final or all open, so that a report on closed sessions opens no others.
  package static let partitionColumn = "is_final"
  /// The same as the log's list.
  package static let partitionColumns = [partitionColumn]

  /// The properties that keep the rules by which the table was built, each a whole number.
  package enum Property {
    /// The gap that ends a session, in milliseconds.
    package static let gap = "shopmetrics.sessions.gapMs"
    /// How far the watermark stays behind, in milliseconds.
    package static let lateness = "shopmetrics.sessions.latenessMs"
    /// Raised when the meaning of a row changes, so that older rows have to be built again.
    package static let rules = "shopmetrics.sessions.rules"
  }

  /// The value of `Property.rules` that this program writes.
  package static let rulesVersion = 1
}
