/// How values are stored (parquet.thrift, `enum Type`).
public enum PhysicalType: Int32, Sendable, CaseIterable {
  case boolean = 0
  case int32 = 1
  case int64 = 2
  case int96 = 3
  case float = 4
  case double = 5
  case byteArray = 6
  case fixedLenByteArray = 7
}

/// What the stored values mean (parquet.thrift, `union LogicalType`).
public enum LogicalType: Equatable, Sendable {
  case none
  case string
  case map
  case list
  case decimal(precision: Int32, scale: Int32)
  case date
  case timestampMillis(utc: Bool)
  case timestampMicros(utc: Bool)
  case timestampNanos(utc: Bool)
  case integer(bitWidth: Int8, signed: Bool)
  /// A type this library does not interpret, by its field id in the union.
  case other(Int16)

  /// The older annotation of the same meaning (parquet.thrift, `enum ConvertedType`), which
  /// readers from before the union understand; nil where there is none.
  var convertedType: Int32? {
    switch self {
    case .string: 0
    case .map: 1
    case .list: 3
    case .decimal: 5
    case .date: 6
    // The older types always mean UTC, so a local timestamp has none.
    case .timestampMillis(utc: true): 9
    case .timestampMicros(utc: true): 10
    case .integer(let bitWidth, let signed): Self.convertedInteger(bitWidth, signed: signed)
    default: nil
    }
  }

  private static func convertedInteger(_ bitWidth: Int8, signed: Bool) -> Int32? {
    switch bitWidth {
    case 8: signed ? 15 : 11
    case 16: signed ? 16 : 12
    case 32: signed ? 17 : 13
    case 64: signed ? 18 : 14
    default: nil
    }
  }
}

/// How often a field occurs in its parent (parquet.thrift, `enum FieldRepetitionType`).
public enum Repetition: Int32, Sendable, CaseIterable {
  case required = 0
  case optional = 1
  case repeated = 2
}
