internal import DeltaLake
internal import Parquet

/// A row of one of several row groups.
struct RowPlace {
  /// Index in the list of row groups.
  var group: Int32
  var row: Int32
}

/// Copies rows of decoded row groups into column buffers, in any order.
struct RowGather {
  private let schema: StructType
  private let groups: [StoredRows]

  init(_ groups: [StoredRows], schema: StructType) {
    self.groups = groups
    self.schema = schema
  }

  /// All rows in the order of their times; rows without one come first.
  func orderedByTime() throws -> [RowPlace] {
    var keys: [(time: Int64, place: RowPlace)] = []
    for (group, rows) in groups.enumerated() {
      let times = try rows.column("event_ts")
      for row in 0..<rows.rowCount {
        let place = RowPlace(group: Int32(group), row: Int32(row))
        keys.append((times.integer(row) ?? .min, place))
      }
    }
    // Equal times keep their order, so that the result depends on nothing but the rows.
    keys.sort {
      ($0.time, $0.place.group, $0.place.row) < ($1.time, $1.place.group, $1.place.row)
    }
    return keys.map(\.place)
  }

  /// Appends `order` to `buffers`, of which there is one for each column of the schema.
  func append(_ order: ArraySlice<RowPlace>, to buffers: [ColumnBuffer]) throws {
    for (field, buffer) in zip(schema.fields, buffers) {
      let columns = try groups.map { try $0.column(field.name) }
      switch buffer {
      case let buffer as ByteArrayColumn: Self.append(order, of: columns, to: buffer)
      case let buffer as Int64Column:
        Self.copy(order, columns, buffer, Self.int64s) { buffer.append($0) }
      case let buffer as Int32Column:
        Self.copy(order, columns, buffer, Self.int32s) { buffer.append($0) }
      case let buffer as DoubleColumn:
        Self.copy(order, columns, buffer, Self.doubles) { buffer.append($0) }
      case let buffer as BooleanColumn:
        Self.copy(order, columns, buffer, Self.booleans) { buffer.append($0) }
      default: preconditionFailure("buffers are made for the table's schema")
      }
    }
  }

  private static func append(
    _ order: ArraySlice<RowPlace>, of columns: [StoredColumn], to buffer: ByteArrayColumn
  ) {
    let values = columns.map { column in
      if case .bytes(let values) = column.values { values } else { ByteArrayValues?.none }
    }
    for place in order {
      let (group, row) = (Int(place.group), Int(place.row))
      if let index = columns[group].place(row), values[group] != nil {
        values[group]?.withBytes(index) { buffer.append($0) }
      } else {
        buffer.appendNull()
      }
    }
  }

  @inline(__always)
  private static func copy<Value>(
    _ order: ArraySlice<RowPlace>, _ columns: [StoredColumn], _ buffer: ColumnBuffer,
    _ values: (StoredColumn) -> [Value], _ append: (Value) -> Void
  ) {
    let values = columns.map(values)
    for place in order {
      let group = Int(place.group)
      if let index = columns[group].place(Int(place.row)) {
        append(values[group][index])
      } else {
        buffer.appendNull()
      }
    }
  }

  // Another type was refused when the column was decoded; what is absent has no places.

  private static func int64s(_ column: StoredColumn) -> [Int64] {
    if case .int64(let values) = column.values { values } else { [] }
  }

  private static func int32s(_ column: StoredColumn) -> [Int32] {
    if case .int32(let values) = column.values { values } else { [] }
  }

  private static func doubles(_ column: StoredColumn) -> [Double] {
    if case .double(let values) = column.values { values } else { [] }
  }

  private static func booleans(_ column: StoredColumn) -> [Bool] {
    if case .boolean(let values) = column.values { values } else { [] }
  }
}
