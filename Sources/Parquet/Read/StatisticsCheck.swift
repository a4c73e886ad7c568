/// A footer that says of a chunk what its values do not bear out: readers that trust it skip rows.
public struct StatisticsMismatch: Equatable, Sendable, CustomStringConvertible {
  public enum Field: String, Sendable {
    case nullCount = "null_count"
    case minValue = "min_value"
    case maxValue = "max_value"
  }

  public let rowGroup: Int
  /// The leaf's path, dotted.
  public let column: String
  public let field: Field
  /// What the footer says.
  public let expected: String
  /// What the values say.
  public let found: String

  public var description: String {
    "row group \(rowGroup), column \(column): \(field.rawValue) is \(expected) in the footer, "
      + "\(found) in the values"
  }
}

/// What the values of one chunk say, and where the footer says something else.
public struct CheckedColumn: Equatable, Sendable {
  public let mismatches: [StatisticsMismatch]
  public let nullCount: Int64
  /// The least and the greatest value as PLAIN bytes without a length; nil without values, and
  /// where the format defines no order that this library knows.
  ///
  /// INT96 is no order of the format, but instants have one: those are microseconds in 8 bytes.
  public let minValue: [UInt8]?
  public let maxValue: [UInt8]?
}

extension FileReader {
  /// Reads every column and compares it with the footer's statistics.
  ///
  /// Absent statistics are no mismatch. Bounds are compared where the format defines an order that
  /// this library knows; texts may have shortened bounds that enclose the values. Throws what
  /// `readColumn` throws.
  public func verifyStatistics() throws(ParquetError) -> [StatisticsMismatch] {
    var mismatches: [StatisticsMismatch] = []
    for rowGroup in 0..<rowGroupCount {
      for leaf in schema.leaves.indices {
        let values = try readColumn(rowGroup: rowGroup, leaf: leaf)
        mismatches += checkStatistics(of: values, rowGroup: rowGroup, leaf: leaf).mismatches
      }
    }
    return mismatches
  }

  /// Compares a chunk that was read with the footer's statistics of it, as `verifyStatistics` does.
  public func checkStatistics(
    of values: ColumnValues, rowGroup: Int, leaf: Int
  ) -> CheckedColumn {
    let statistics = metadata.rowGroups[rowGroup].columns[leaf].metaData?.statistics
    let column = schema.leaves[leaf]
    var mismatches: [StatisticsMismatch] = []
    func report(_ field: StatisticsMismatch.Field, _ expected: String, _ found: String) {
      mismatches.append(
        StatisticsMismatch(
          rowGroup: rowGroup, column: column.name, field: field, expected: expected, found: found))
    }
    let nullCount = Int64(values.entryCount - values.values.count)
    if let stated = statistics?.nullCount, stated != nullCount {
      report(.nullCount, "\(stated)", "\(nullCount)")
    }
    let bounds = StatisticsOrder(column)?.bounds(values.values)
    if let bounds {
      if let stated = statistics?.minValue, !bounds.min.isStated(by: stated, isLower: true) {
        report(.minValue, stated.hexadecimal, bounds.min.bytes.hexadecimal)
      }
      if let stated = statistics?.maxValue, !bounds.max.isStated(by: stated, isLower: false) {
        report(.maxValue, stated.hexadecimal, bounds.max.bytes.hexadecimal)
      }
    }
    let known = bounds ?? StatisticsOrder.signed.bounds(ofInstants: values.values)
    return CheckedColumn(
      mismatches: mismatches, nullCount: nullCount, minValue: known?.min.bytes,
      maxValue: known?.max.bytes)
  }
}

extension ColumnValues.Storage {
  /// The number of values, nulls not counted.
  public var count: Int {
    switch self {
    case .boolean(let values): values.count
    case .int32(let values): values.count
    case .int64(let values), .timestampFromInt96(let values): values.count
    case .float(let values): values.count
    case .double(let values): values.count
    case .byteArray(let values), .fixed(let values): values.count
    }
  }
}

/// The order that parquet.thrift's `ColumnOrder` defines for a leaf's bounds.
private enum StatisticsOrder {
  case signed
  case unsigned
  case floating
  case bytes

  /// Nil where bounds are not defined (INT96) or of an order not known here (decimals in bytes).
  init?(_ leaf: LeafColumn) {
    switch (leaf.physicalType, leaf.logicalType) {
    case (.int96, _): return nil
    case (.boolean, _): self = .unsigned
    case (.int32, .integer(_, signed: false)), (.int64, .integer(_, signed: false)):
      self = .unsigned
    case (.int32, _), (.int64, _): self = .signed
    case (.float, _), (.double, _): self = .floating
    case (.byteArray, .none), (.byteArray, .string), (.fixedLenByteArray, .none): self = .bytes
    default: return nil
    }
  }

  func bounds(_ values: ColumnValues.Storage) -> (min: Bound, max: Bound)? {
    switch values {
    case .boolean(let values):
      return extremes(values.lazy.map { UInt8($0 ? 1 : 0) }) { Bound(plain: $0) }
    case .int32(let values): return extremes(of: values) { UInt32(bitPattern: $0) }
    case .int64(let values): return extremes(of: values) { UInt64(bitPattern: $0) }
    // A NaN is in no order; of zeros the bounds are -0 and +0, whichever occur.
    case .float(let values):
      return extremes(values.lazy.filter { !$0.isNaN }) {
        Bound(bytes: plainBytes($0.bitPattern), zero: $0 == 0)
      }
    case .double(let values):
      return extremes(values.lazy.filter { !$0.isNaN }) {
        Bound(bytes: plainBytes($0.bitPattern), zero: $0 == 0)
      }
    case .byteArray(let values): return byteExtremes(values, mayBeShortened: true)
    case .fixed(let values): return byteExtremes(values, mayBeShortened: false)
    case .timestampFromInt96: return nil
    }
  }

  /// The bounds of INT96 timestamps, which a footer does not state; nil for other values.
  func bounds(ofInstants values: ColumnValues.Storage) -> (min: Bound, max: Bound)? {
    guard case .timestampFromInt96(let instants) = values else { return nil }
    return extremes(instants) { Bound(plain: $0) }
  }

  private func extremes<Signed: FixedWidthInteger, Unsigned: FixedWidthInteger>(
    of values: [Signed], _ unsigned: (Signed) -> Unsigned
  ) -> (min: Bound, max: Bound)? {
    if case .unsigned = self {
      return withoutActuallyEscaping(unsigned) { unsigned in
        extremes(values.lazy.map(unsigned)) { Bound(plain: $0) }
      }
    }
    return extremes(values) { Bound(plain: $0) }
  }

  private func extremes<Values: Sequence>(
    _ values: Values, _ bound: (Values.Element) -> Bound
  ) -> (min: Bound, max: Bound)? where Values.Element: Comparable {
    guard let least = values.min(), let greatest = values.max() else { return nil }
    return (bound(least), bound(greatest))
  }

  private func byteExtremes(
    _ values: ByteArrayValues, mayBeShortened: Bool
  ) -> (min: Bound, max: Bound)? {
    guard values.count > 0 else { return nil }
    var (least, greatest) = (0, 0)
    for index in 1..<values.count {
      values.withBytes(index) { value in
        if values.withBytes(least, { value.lexicographicallyPrecedes($0) }) { least = index }
        if values.withBytes(greatest, { $0.lexicographicallyPrecedes(value) }) { greatest = index }
      }
    }
    return (
      Bound(bytes: values[least], mayBeShortened: mayBeShortened),
      Bound(bytes: values[greatest], mayBeShortened: mayBeShortened)
    )
  }
}

/// A bound as the values give it.
private struct Bound {
  var bytes: [UInt8]
  var zero = false
  var mayBeShortened = false

  init(bytes: [UInt8], zero: Bool = false, mayBeShortened: Bool = false) {
    self.bytes = bytes
    self.zero = zero
    self.mayBeShortened = mayBeShortened
  }

  init(plain value: some FixedWidthInteger) { self.init(bytes: plainBytes(value)) }

  func isStated(by stated: [UInt8], isLower: Bool) -> Bool {
    if stated == bytes { return true }
    // Either sign of zero stands for both.
    if zero, stated.count == bytes.count {
      return stated.dropLast().allSatisfy { $0 == 0 } && (stated.last ?? 0) & 0x7F == 0
    }
    guard mayBeShortened, stated.count < bytes.count else { return false }
    return isLower
      ? stated.lexicographicallyPrecedes(bytes) : bytes.lexicographicallyPrecedes(stated)
  }
}

private func plainBytes(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
}

extension [UInt8] {
  /// At most 32 bytes, for people to compare.
  fileprivate var hexadecimal: String {
    let digits = prefix(32).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return "0x" + digits.joined() + (count > 32 ? "… (\(count) bytes)" : "")
  }
}
