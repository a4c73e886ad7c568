internal import Clickstream
internal import DeltaLake
internal import JSON
internal import Parquet

/// What one column of a data file holds, over all of its row groups.
struct ColumnSummary {
  let name: String
  let type: DataType
  private(set) var nullCount: Int64 = 0
  private(set) var low: Value?
  private(set) var high: Value?
  /// Whether `low` and `high` say something of all values.
  private(set) var isBounded = true
  private let physicalType: PhysicalType

  enum Value: Equatable {
    case integer(Int64)
    case double(Double)
    case text([UInt8])
  }

  init(name: String, type: DataType, _ leaf: LeafColumn) {
    self.name = name
    self.type = type
    physicalType = leaf.physicalType
    switch leaf.logicalType {
    // Bounds in other units than the log's.
    case .timestampMillis, .timestampNanos: isBounded = false
    default: break
    }
  }

  /// - Parameter valueCount: how many values the chunk has, nulls not counted.
  mutating func note(_ column: CheckedColumn, valueCount: Int) {
    nullCount += column.nullCount
    guard let least = column.minValue.flatMap(value), let most = column.maxValue.flatMap(value)
    else {
      isBounded = isBounded && valueCount == 0
      return
    }
    low = low.map { Self.precedes(least, $0) ? least : $0 } ?? least
    high = high.map { Self.precedes($0, most) ? most : $0 } ?? most
  }

  private func value(_ bytes: [UInt8]) -> Value? {
    bytes.withUnsafeBytes { bytes in
      switch (physicalType, bytes.count) {
      case (.int32, 4):
        .integer(Int64(Int32(littleEndian: bytes.loadUnaligned(as: Int32.self))))
      case (.int64, 8), (.int96, 8):
        .integer(Int64(littleEndian: bytes.loadUnaligned(as: Int64.self)))
      case (.double, 8):
        .double(Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))))
      case (.byteArray, _): .text(Array(bytes))
      default: nil
      }
    }
  }

  private static func precedes(_ left: Value, _ right: Value) -> Bool {
    switch (left, right) {
    case (.integer(let left), .integer(let right)): left < right
    case (.double(let left), .double(let right)): left < right
    case (.text(let left), .text(let right)): left.lexicographicallyPrecedes(right)
    default: false
    }
  }
}

/// The `stats` of an `add` action (Delta protocol, "Per-file Statistics").
///
/// Readers skip files by them, so what they say must enclose the rows. What they leave out is no
/// lie; instants may be cut to milliseconds, texts after their first 32 characters.
struct LogStatistics {
  private let stated: JSONObject

  init(_ stated: JSONObject) { self.stated = stated }

  /// A statement that the rows do not bear out.
  struct Lie: Equatable {
    var field: String
    var expected: String
    var found: String
  }

  func lies(about columns: [ColumnSummary], rowCount: Int64) -> [Lie] {
    var lies: [Lie] = []
    func check(_ field: String, _ value: JSONValue?, _ truth: String, _ isTrue: Bool) {
      guard let value, !value.isNull, !isTrue else { return }
      lies.append(Lie(field: field, expected: truth, found: Self.text(value)))
    }
    let rows = stated["numRecords"]
    check("numRecords", rows, "\(rowCount)", rows?.int64Value == rowCount)
    for column in columns {
      let nulls = stated.object("nullCount")?[column.name]
      check(
        "nullCount.\(column.name)", nulls, "\(column.nullCount)",
        nulls?.int64Value == column.nullCount)
      guard column.isBounded else { continue }
      let least = stated.object("minValues")?[column.name]
      check(
        "minValues.\(column.name)", least, Self.text(column.low),
        least.map { Self.isBound($0, of: column.low, column.type, isLower: true) } ?? true)
      let most = stated.object("maxValues")?[column.name]
      check(
        "maxValues.\(column.name)", most, Self.text(column.high),
        most.map { Self.isBound($0, of: column.high, column.type, isLower: false) } ?? true)
    }
    return lies
  }

  private static func isBound(
    _ stated: JSONValue, of value: ColumnSummary.Value?, _ type: DataType, isLower: Bool
  ) -> Bool {
    switch (type, value) {
    case (.long, .integer(let number)), (.integer, .integer(let number)):
      return stated.int64Value == number
    case (.double, .double(let number)): return stated.doubleValue == number
    case (.timestamp, .integer(let instant)):
      guard let text = stated.stringValue, let bound = parse(text) else { return false }
      let (distance, overflow) = instant.subtractingReportingOverflow(bound)
      return !overflow && (isLower ? 0..<1000 : -999..<1000).contains(distance)
    case (.date, .integer(let days)):
      guard let text = stated.stringValue else { return false }
      let (instant, overflow) = days.multipliedReportingOverflow(by: 86_400_000_000)
      return !overflow && parse("\(text)T00:00:00Z") == instant
    case (.string, .text(let bytes)):
      guard let text = stated.stringValue.map({ Array($0.utf8) }) else { return false }
      if text == bytes { return true }
      guard bytes.count >= cutLength else { return false }
      return isLower ? bytes.starts(with: text) : bytes.lexicographicallyPrecedes(text)
    case (.long, nil), (.integer, nil), (.double, nil), (.timestamp, nil), (.date, nil),
      (.string, nil):
      return false
    default: return true
    }
  }

  /// The shortest text that writers cut, in bytes.
  private static let cutLength = 32

  private static func parse(_ text: String) -> Int64? {
    Array(text.utf8).withUnsafeBytes { EventTime.parse($0) }
  }

  private static func text(_ value: ColumnSummary.Value?) -> String {
    switch value {
    case .integer(let number): "\(number)"
    case .double(let number): "\(number)"
    case .text(let bytes): "a bound that encloses a text of \(bytes.count) bytes"
    case nil: "no bound, because the column has no values"
    }
  }

  /// A statement for people; texts come from customers and stay where they are.
  private static func text(_ stated: JSONValue) -> String {
    guard let text = stated.stringValue, parse(text) == nil else { return stated.text }
    return "another text of \(text.utf8.count) bytes"
  }
}
