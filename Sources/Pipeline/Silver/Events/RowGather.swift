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
      case let buffer as ByteArrayColumn:
        for place in order {
          let column = columns[Int(place.group)]
          let isPresent: Void? = column.withBytes(Int(place.row)) { buffer.append($0) }
          if isPresent == nil { buffer.appendNull() }
        }
      case let buffer as Int64Column:
        Self.copy(order, columns, buffer) { buffer.append($0.integers[$1]) }
      case let buffer as Int32Column:
        Self.copy(order, columns, buffer) {
          buffer.append(Int32(truncatingIfNeeded: $0.integers[$1]))
        }
      case let buffer as DoubleColumn:
        Self.copy(order, columns, buffer) { buffer.append($0.doubles[$1]) }
      case let buffer as BooleanColumn:
        Self.copy(order, columns, buffer) { buffer.append($0.booleans[$1]) }
      default: preconditionFailure("buffers are made for the table's schema")
      }
    }
  }

  @inline(__always)
  private static func copy(
    _ order: ArraySlice<RowPlace>, _ columns: [StoredColumn], _ buffer: ColumnBuffer,
    _ append: (StoredColumn, Int) -> Void
  ) {
    for place in order {
      let column = columns[Int(place.group)]
      if let index = column.place(Int(place.row)) {
        append(column, index)
      } else {
        buffer.appendNull()
      }
    }
  }
}
