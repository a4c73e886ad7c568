/// The bytes of one text field, borrowed from the payload or from the decoder.
///
/// Valid until the next `decode` and as long as the payload is.
package struct FieldBytes {
  /// Nil for a field that is null or absent; an empty string has a start.
  package var start: UnsafePointer<UInt8>?
  package var count: Int

  @inlinable
  package init(start: UnsafePointer<UInt8>?, count: Int) {
    self.start = start
    self.count = count
  }

  /// A field that is null or absent.
  @inlinable
  package static var null: FieldBytes { FieldBytes(start: nil, count: 0) }

  @inlinable
  package var isNull: Bool { start == nil }

  @inlinable
  package var buffer: UnsafeRawBufferPointer? {
    start.map { UnsafeRawBufferPointer(start: $0, count: count) }
  }
}

extension FieldBytes {
  /// A copy of the text for messages and tests; nil for null.
  package var string: String? { buffer.map { String(decoding: $0, as: UTF8.self) } }
}

/// One good record, in the types of `bronze.clickstream_raw`.
package struct DecodedEvent {
  package var eventID = FieldBytes.null
  /// Null for an anonymous visitor; `""` is a visitor.
  package var customerID = FieldBytes.null
  package var productID = FieldBytes.null
  package var eventType = FieldBytes.null
  package var sessionID = FieldBytes.null
  package var page = FieldBytes.null
  /// When it happened: microseconds since 1970-01-01T00:00:00Z.
  package var eventTime: Int64 = 0
  /// The top-level fields that no column takes, as one JSON object.
  ///
  /// In source order, keys and values as written, of a key given twice only the last one. Null
  /// when there are none.
  package var rescuedData = FieldBytes.null
  /// One value for each declared column, in the order of the declaration.
  ///
  /// The storage is used again for the next record: a copy of the array costs an allocation there.
  package var declared: [DeclaredValue] = []
}

/// The type of a column that the configuration adds to Bronze.
package enum DeclaredType: String, CaseIterable, Sendable {
  /// A JSON string.
  case string
  /// A JSON integer (no fraction, no exponent, not `-0`) of 64 bits.
  case long
  /// Any JSON number with a finite nearest double.
  case double
  case boolean
  /// A JSON string in the form of `event_ts`.
  case timestamp
}

/// A column that the configuration adds to Bronze.
package struct DeclaredColumn: Equatable, Sendable {
  /// The column of the table.
  package let name: String
  /// The top-level JSON field that fills it; not one of `reservedFields`.
  package let field: String
  package let type: DeclaredType

  package init(name: String, field: String, type: DeclaredType) {
    self.name = name
    self.field = field
    self.type = type
  }

  /// The JSON fields that fill Bronze's own columns.
  package static let reservedFields = KnownField.allCases.map(\.name)
}

/// One declared column's value of one record.
package enum DeclaredValue {
  case null
  case string(FieldBytes)
  case long(Int64)
  case double(Double)
  case boolean(Bool)
  /// Microseconds since 1970-01-01T00:00:00Z.
  case timestamp(Int64)
}
