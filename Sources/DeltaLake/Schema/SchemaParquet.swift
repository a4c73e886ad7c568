public import Parquet

extension StructType {
  /// The schema of the data files: every column optional, types as in the table of the Delta
  /// protocol's "Schema Serialization Format", `timestamp` as UTC microseconds.
  public var parquetFields: [SchemaNode] {
    fields.map { $0.type.node(named: $0.name) }
  }

  /// The same, with its leaves.
  ///
  /// - Throws: `ParquetError` for an empty struct or a nesting that Parquet cannot hold.
  public func parquetSchema() throws -> ParquetSchema {
    try ParquetSchema(parquetFields)
  }
}

extension DataType {
  fileprivate func node(named name: String) -> SchemaNode {
    switch self {
    case .structure(let schema): .group(name, schema.parquetFields)
    case .array(let element, _): .list(name, element.node(named: "element"))
    case .map(let key, let value, _): Self.map(name, key, value)
    case .decimal(let precision, let scale): Self.decimal(name, precision, scale)
    default: primitive(named: name)
    }
  }

  private func primitive(named name: String) -> SchemaNode {
    switch self {
    case .string: .string(name)
    case .long: .int64(name)
    case .short: .leaf(name, .int32, .integer(bitWidth: 16, signed: true))
    case .byte: .leaf(name, .int32, .integer(bitWidth: 8, signed: true))
    case .double: .double(name)
    case .float: .leaf(name, .float)
    case .boolean: .boolean(name)
    case .date: .date(name)
    case .timestamp: .timestamp(name)
    case .timestampNTZ: .leaf(name, .int64, .timestampMicros(utc: false))
    case .binary: .binary(name)
    case .integer: .int32(name)
    case .decimal, .array, .map, .structure:
      preconditionFailure("types with parts are built by node(named:)")
    }
  }

  private static func map(_ name: String, _ key: DataType, _ value: DataType) -> SchemaNode {
    let pair = [key.node(named: "key").required, value.node(named: "value")]
    let entries = SchemaNode("key_value", .repeated, .group(pair, .none))
    return SchemaNode(name, .optional, .group([entries], .map))
  }

  /// Digits decide the width, as Spark does it: 9 fit 32 bits, 18 fit 64, more need bytes.
  private static func decimal(_ name: String, _ precision: Int, _ scale: Int) -> SchemaNode {
    let meaning = LogicalType.decimal(precision: Int32(precision), scale: Int32(scale))
    switch precision {
    case ...9: return .leaf(name, .int32, meaning)
    case ...18: return .leaf(name, .int64, meaning)
    default:
      let kind = SchemaNode.Kind.leaf(
        .fixedLenByteArray, meaning, typeLength: bytesForDigits(precision))
      return SchemaNode(name, .optional, kind)
    }
  }

  /// The smallest n with 2^(8n-1) > 10^precision: log2(10) is 3.32193 at most.
  private static func bytesForDigits(_ precision: Int) -> Int32 {
    let bits = (precision * 332_193 + 99_999) / 100_000 + 1
    return Int32((bits + 7) / 8)
  }
}

extension FileReader {
  /// The leaf of a top-level column that is not nested; nil when the file lacks it, so that every
  /// row of this file is null there.
  public func leaf(ofColumn name: String) -> Int? {
    schema.leaves.firstIndex { $0.path == [name] }
  }
}
