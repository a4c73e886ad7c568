internal import DeltaLake
internal import Parquet

/// The columns of Bronze's tables as any program may have written them.
extension FileReader {
  /// The values of a column that is not nested, timestamps as microseconds in whichever of
  /// Parquet's forms they are; nil when the file lacks the column.
  ///
  /// - Parameter place: the file and the row group, for errors.
  /// - Throws: BRONZE_ROW when it holds another type than the table says or a time that is none;
  ///   `ParquetError`.
  func values(of field: StructField, rowGroup: Int, place: @autoclosure () -> String) throws
    -> ColumnValues?
  {
    guard let leaf = leaf(ofColumn: field.name) else { return nil }
    let column = schema.leaves[leaf]
    guard let form = StoredForm(column, field.type) else {
      throw BronzeError.row(
        place(),
        "column \(field.name): expected \(field.type), found \(column.physicalType) as "
          + "\(column.logicalType)")
    }
    var values = try readColumn(rowGroup: rowGroup, leaf: leaf)
    if form != .asIs, !values.convertTimestamps(form) {
      throw BronzeError.row(
        place(), "column \(field.name) has a time outside the years 1 to 9999")
    }
    return values
  }
}

/// How a type of the table stands in a file.
private enum StoredForm {
  case asIs
  case milliseconds
  case nanoseconds

  init?(_ leaf: LeafColumn, _ type: DataType) {
    switch (type, leaf.physicalType, leaf.logicalType) {
    case (.string, .byteArray, _), (.binary, .byteArray, _), (.integer, .int32, _),
      (.long, .int64, .none), (.long, .int64, .integer), (.double, .double, _),
      (.boolean, .boolean, _), (.timestamp, .int96, _), (.timestamp, .int64, .timestampMicros):
      self = .asIs
    case (.timestamp, .int64, .timestampMillis): self = .milliseconds
    case (.timestamp, .int64, .timestampNanos): self = .nanoseconds
    default: return nil
    }
  }
}

extension ColumnValues {
  /// False when a value has no place among 64-bit microseconds.
  fileprivate mutating func convertTimestamps(_ form: StoredForm) -> Bool {
    guard case .int64(var times) = values else { return true }
    var isPossible = true
    for index in times.indices {
      if form == .milliseconds {
        let (microseconds, overflow) = times[index].multipliedReportingOverflow(by: 1000)
        isPossible = isPossible && !overflow
        times[index] = microseconds
      } else {
        times[index] = times[index].dividedDown(by: 1000)
      }
    }
    values = .int64(times)
    return isPossible
  }
}
