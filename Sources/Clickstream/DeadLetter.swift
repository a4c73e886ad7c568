/// Why a record is not a row of Bronze: the `failure_reason` of its dead letter.
package enum DeadLetterReason: String, CaseIterable, Sendable {
  /// The Kafka value is null: a tombstone.
  case nullValue = "null_value"
  /// Not one JSON text: a byte that the grammar forbids, an early end, something after the end.
  case invalidJSON = "invalid_json"
  /// In a string: ill-formed UTF-8 or a lone surrogate.
  case invalidUTF8 = "invalid_utf8"
  /// Another JSON value than an object.
  case notAnObject = "not_an_object"
  /// A required field is absent or null.
  case missingField = "missing_field"
  /// A field that a column takes has another type than the column.
  case wrongType = "wrong_type"
  /// A timestamp that is not in the declared form, or not a date and time that exists.
  case badTimestamp = "bad_timestamp"
  /// The value has more bytes than the limit.
  case tooLarge = "too_large"
  /// More containers are open at once than the limit allows.
  case tooDeep = "too_deep"
  /// Not from the decoder: a range of offsets that the broker no longer has.
  case dataLoss = "data_loss"
}

/// The verdict on a record that cannot be decoded.
package struct DeadLetter: Equatable, Sendable {
  package let reason: DeadLetterReason
  /// Field, byte position, expected, found.
  ///
  /// Printable ASCII only: what the record said is escaped
  /// and cut, so that it can neither forge log lines nor steer a terminal.
  package let detail: String

  package init(reason: DeadLetterReason, detail: String) {
    self.reason = reason
    self.detail = detail
  }
}

/// What a value may cost.
///
/// Beyond that it is a dead letter, not a failure.
package struct DecodeLimits: Equatable, Sendable {
  /// The size of a value in bytes; at most 1 GiB.
  package var maxValueBytes: Int
  /// Containers open at once; the event's own object counts as the first.
  package var maxDepth: Int

  package init(maxValueBytes: Int = 16 << 20, maxDepth: Int = 1024) {
    self.maxValueBytes = maxValueBytes
    self.maxDepth = maxDepth
  }
}
