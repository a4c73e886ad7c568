/// A bound of a column's values.
public enum StatisticsValue: Equatable, Sendable {
  case boolean(Bool)
  case int32(Int32)
  case int64(Int64)
  case float(Float)
  case double(Double)
  case bytes([UInt8])
}

/// What is known of a whole file's values of one leaf.
///
/// The bounds are values that occur, never shortened; nil when there is no value or, for floating
/// point, when a NaN occurs.
public struct ColumnStatistics: Equatable, Sendable {
  public var nullCount: Int64
  public var min: StatisticsValue?
  public var max: StatisticsValue?
}

/// The least and the greatest of at least one value.
struct ValueBounds: Equatable {
  var min: StatisticsValue
  var max: StatisticsValue

  func union(_ other: ValueBounds) -> ValueBounds {
    ValueBounds(
      min: other.min.precedes(min) ? other.min : min,
      max: max.precedes(other.max) ? other.max : max)
  }
}

extension StatisticsValue {
  /// The order of parquet.thrift's `TypeDefinedOrder`: byte arrays compare as unsigned bytes.
  func precedes(_ other: StatisticsValue) -> Bool {
    switch (self, other) {
    case (.boolean(let left), .boolean(let right)): !left && right
    case (.int32(let left), .int32(let right)): left < right
    case (.int64(let left), .int64(let right)): left < right
    case (.float(let left), .float(let right)): left < right
    case (.double(let left), .double(let right)): left < right
    case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
    default: preconditionFailure("bounds of one column are of one type")
    }
  }

  /// PLAIN, without a length.
  var plainBytes: [UInt8] {
    switch self {
    case .boolean(let value): [value ? 1 : 0]
    case .int32(let value): Self.littleEndian(value)
    case .int64(let value): Self.littleEndian(value)
    case .float(let value): Self.littleEndian(value.bitPattern)
    case .double(let value): Self.littleEndian(value.bitPattern)
    case .bytes(let value): value
    }
  }

  private static func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
  }
}

extension Statistics {
  /// Long bounds would blow up the footer, which every reader loads whole; parquet-mr leaves them
  /// out above the same size.
  private static let byteLimit = 4096

  init(nullCount: Int, bounds: ValueBounds?) {
    self.nullCount = Int64(nullCount)
    guard let bounds else { return }
    let (least, greatest) = (bounds.min.plainBytes, bounds.max.plainBytes)
    guard least.count + greatest.count <= Self.byteLimit else { return }
    minValue = least
    maxValue = greatest
  }
}
