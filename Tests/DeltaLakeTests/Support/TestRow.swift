import Parquet

@testable import DeltaLake

/// One row of the tables that the tests write; every column may be null.
struct TestRow {
  var name: String?
  var number: Int64?
  var small: Int32?
  var at: Int64?
  var day: Int32?
  var flag: Bool?
  var ratio: Double?
  var raw: [UInt8]?

  init(
    name: String? = nil, number: Int64? = nil, small: Int32? = nil, at: Int64? = nil,
    day: Int32? = nil, flag: Bool? = nil, ratio: Double? = nil, raw: [UInt8]? = nil
  ) {
    self.name = name
    self.number = number
    self.small = small
    self.at = at
    self.day = day
    self.flag = flag
    self.ratio = ratio
    self.raw = raw
  }

  /// A row with something in every column.
  static func full(_ index: Int64) -> TestRow {
    TestRow(
      name: "näme \(index) \u{1F600}", number: index * 1_000_000_007, small: Int32(index) - 3,
      at: 1_769_853_600_000_000 + index * 1_234_567, day: 20_000 + Int32(index),
      flag: index.isMultiple(of: 2), ratio: Double(index) + 0.5, raw: [0, 255, UInt8(index)])
  }

  /// The rows as columns of a file with this schema.
  static func columns(_ rows: [TestRow], _ schema: StructType) throws -> [ColumnBuffer] {
    try schema.parquetSchema().leaves.map { leaf in
      switch leaf.path[0] {
      case "number": return fill(Int64Column(leaf, encoding: .plain), rows.map(\.number))
      case "at": return fill(Int64Column(leaf, encoding: .plain), rows.map(\.at))
      case "small": return fill(Int32Column(leaf, encoding: .plain), rows.map(\.small))
      case "day": return fill(Int32Column(leaf, encoding: .plain), rows.map(\.day))
      case "flag":
        let column = BooleanColumn(leaf)
        for row in rows {
          if let flag = row.flag { column.append(flag) } else { column.appendNull() }
        }
        return column
      case "ratio":
        let column = DoubleColumn(leaf)
        for row in rows {
          if let ratio = row.ratio { column.append(ratio) } else { column.appendNull() }
        }
        return column
      case "raw": return fill(leaf, rows.map(\.raw))
      default: return fill(leaf, rows.map { $0.name.map { Array($0.utf8) } })
      }
    }
  }

  private static func fill(_ column: Int64Column, _ values: [Int64?]) -> ColumnBuffer {
    for value in values { if let value { column.append(value) } else { column.appendNull() } }
    return column
  }

  private static func fill(_ column: Int32Column, _ values: [Int32?]) -> ColumnBuffer {
    for value in values { if let value { column.append(value) } else { column.appendNull() } }
    return column
  }

  private static func fill(_ leaf: LeafColumn, _ values: [[UInt8]?]) -> ColumnBuffer {
    let column = ByteArrayColumn(leaf, encoding: .plain)
    for value in values {
      if let value { value.withUnsafeBytes { column.append($0) } } else { column.appendNull() }
    }
    return column
  }

  /// The row in the notation that `TableRows` and the Python readers use.
  var text: String {
    [
      ("at", at.map(String.init)), ("day", day.map(String.init)), ("flag", flag.map(String.init)),
      ("name", name), ("number", number.map(String.init)), ("ratio", ratio.map { "\($0)" }),
      ("raw", raw.map(TableRows.hex)), ("small", small.map(String.init)),
    ].map { "\($0.0)=\($0.1 ?? "null")" }.joined(separator: "|")
  }
}
