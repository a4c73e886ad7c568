import Foundation

@testable import Parquet

/// Which rows of a column are null.
enum NullPattern: String, CaseIterable, Sendable {
  case required, none, all, alternating, runs, random, onlyFirst, onlyLast

  func isNull(_ row: Int, of count: Int, _ random: inout SplitMix) -> Bool {
    switch self {
    case .required, .none: false
    case .all: true
    case .alternating: row % 2 == 0
    case .runs: row / 50 % 2 == 1
    case .random: random.next() % 3 == 0
    case .onlyFirst: row == 0
    case .onlyLast: row == count - 1
    }
  }
}

/// A value of a test, and what the readers are expected to see of it.
enum Sample {
  case boolean(Bool)
  case int32(Int32)
  case int64(Int64)
  case float(Float)
  case double(Double)
  case bytes([UInt8])

  /// Integers in decimal, floating point as the bits of a double, bytes in hex.
  var text: String {
    switch self {
    case .boolean(let value): String(value)
    case .int32(let value): String(value)
    case .int64(let value): String(value)
    case .float(let value): Sample.double(Double(value)).text
    case .double(let value): value.isNaN ? "nan" : String(value.bitPattern)
    case .bytes(let value): value.map { String(format: "%02x", $0) }.joined()
    }
  }
}

/// One column of the conformance files: a type, an encoding, and values that try both.
struct FlatColumn: Sendable {
  let node: SchemaNode
  /// What the footer must name when there are values.
  let encoding: Encoding
  let make: @Sendable (LeafColumn) -> ColumnBuffer
  let value: @Sendable (Int, inout SplitMix) -> Sample

  static let all: [FlatColumn] = bytes + integers + others

  private static let others = [
    FlatColumn(node: .boolean("boolean"), encoding: .plain, make: { BooleanColumn($0) }) {
      .boolean($1.next() % 3 == 0 || $0 == 1)
    },
    FlatColumn(node: .double("double"), encoding: .plain, make: { DoubleColumn($0) }) {
      .double(Double(Int64(bitPattern: $1.next())) / 1e9 + Double($0))
    },
    FlatColumn(node: .double("double_zeros"), encoding: .plain, make: { DoubleColumn($0) }) {
      row, _ in .double(row % 2 == 0 ? 0.0 : -0.0)
    },
    FlatColumn(node: .double("double_nan"), encoding: .plain, make: { DoubleColumn($0) }) {
      row, _ in .double([.nan, 1, -.infinity, .infinity][row % 4])
    },
    FlatColumn(node: .leaf("float", .float), encoding: .plain, make: { FloatColumn($0) }) {
      row, _ in .float(Float(row) / 3 - 20)
    },
  ]

  private static let integers: [FlatColumn] =
    [
      (IntegerEncoding.plain, Encoding.plain, "plain"),
      (.dictionary, .rleDictionary, "dictionary"),
      (.deltaBinaryPacked, .deltaBinaryPacked, "delta"),
    ].flatMap { encoding, stored, name in
      [
        FlatColumn(
          node: .int32("int32_\(name)"), encoding: stored,
          make: { Int32Column($0, encoding: encoding) },
          value: { .int32($0 % 7 == 0 ? Int32.min : Int32(truncatingIfNeeded: $1.next() % 999)) }),
        FlatColumn(
          node: .date("date_\(name)"), encoding: stored,
          make: { Int32Column($0, encoding: encoding) },
          value: { row, _ in .int32(Int32(20_000 + row / 9)) }),
        FlatColumn(
          node: .int64("int64_\(name)"), encoding: stored,
          make: { Int64Column($0, encoding: encoding) },
          value: { row, random in
            .int64(row % 11 == 0 ? Int64.max : Int64(bitPattern: random.next()))
          }),
        FlatColumn(
          node: .timestamp("timestamp_\(name)"), encoding: stored,
          make: { Int64Column($0, encoding: encoding) },
          value: { .int64(1_772_000_000_000_000 + Int64($0) * 1000 + Int64($1.next() % 500)) }),
        FlatColumn(
          node: .int64("constant_\(name)"), encoding: stored,
          make: { Int64Column($0, encoding: encoding) }, value: { _, _ in .int64(-42) }),
      ]
    }

  private static let bytes: [FlatColumn] =
    [
      (ByteArrayEncoding.plain, Encoding.plain, "plain"),
      (.dictionary, .rleDictionary, "dictionary"),
      // Room for the first few strings only: the chunk changes its encoding half way.
      (.dictionary(byteLimit: 100), .rleDictionary, "full"),
      (.deltaLength, .deltaLengthByteArray, "delta"),
    ].flatMap { encoding, stored, name in
      [
        FlatColumn(
          node: .string("string_\(name)"), encoding: stored,
          make: { ByteArrayColumn($0, encoding: encoding) },
          value: { .bytes(Array(words[Int($1.next() % 5)].utf8) + Array("\($0 / 40)".utf8)) }),
        FlatColumn(
          node: .binary("binary_\(name)"), encoding: stored,
          make: { ByteArrayColumn($0, encoding: encoding) },
          value: { row, random in
            .bytes(randomBytes(row == 100 ? 6000 : row % 40, &random))
          }),
        FlatColumn(
          node: .string("topic_\(name)"), encoding: stored,
          make: { ByteArrayColumn($0, encoding: encoding) },
          value: { _, _ in .bytes(Array("clickstream-events".utf8)) }),
      ]
    }

  private static func randomBytes(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  private static let words = ["", "a", "Grüße", "日本語テキスト", "/category/home-garden?q=%20&x"]
}

extension ColumnBuffer {
  /// Appends a sample of this column's type, flat.
  func append(_ sample: Sample) {
    append(sample, definition: leaf.maxDefinitionLevel, repetition: 0)
  }

  /// Flat columns take the short way, as the hot path does.
  func append(_ sample: Sample, definition: UInt8, repetition: UInt8) {
    let isFlat = leaf.path.count == 1
    switch (self, sample) {
    case (let column as BooleanColumn, .boolean(let value)):
      if isFlat { return column.append(value) }
      column.append(value, definition: definition, repetition: repetition)
    case (let column as Int32Column, .int32(let value)):
      if isFlat { return column.append(value) }
      column.append(value, definition: definition, repetition: repetition)
    case (let column as Int64Column, .int64(let value)):
      if isFlat { return column.append(value) }
      column.append(value, definition: definition, repetition: repetition)
    case (let column as FloatColumn, .float(let value)):
      if isFlat { return column.append(value) }
      column.append(value, definition: definition, repetition: repetition)
    case (let column as DoubleColumn, .double(let value)):
      if isFlat { return column.append(value) }
      column.append(value, definition: definition, repetition: repetition)
    case (let column as ByteArrayColumn, .bytes(let value)):
      value.withUnsafeBytes { bytes in
        if isFlat { return column.append(bytes) }
        column.append(bytes, definition: definition, repetition: repetition)
      }
    default: preconditionFailure("the sample is of another type than \(leaf.name)")
    }
  }
}
