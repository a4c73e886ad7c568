/// A type of the Delta protocol ("Primitive Types", "Struct Type", "Array Type", "Map Type").
public indirect enum DataType: Equatable, Sendable {
  case string
  case long
  case integer
  case short
  case byte
  case double
  case float
  case boolean
  /// Days since 1970-01-01.
  case date
  /// An instant in microseconds since 1970, UTC.
  case timestamp
  /// A local date and time; tables with it ask for the feature `timestampNtz`.
  case timestampNTZ
  case binary
  case decimal(precision: Int, scale: Int)
  case array(element: DataType, containsNull: Bool)
  case map(key: DataType, value: DataType, valueContainsNull: Bool)
  case structure(StructType)

  /// The types that have a name of their own, by that name.
  static let named: [String: DataType] = [
    "string": .string, "long": .long, "integer": .integer, "short": .short, "byte": .byte,
    "double": .double, "float": .float, "boolean": .boolean, "date": .date,
    "timestamp": .timestamp, "timestamp_ntz": .timestampNTZ, "binary": .binary,
  ]

  /// The name in a `schemaString`; nil for types that are objects there.
  package var name: String? {
    switch self {
    case .string: "string"
    case .long: "long"
    case .integer: "integer"
    case .short: "short"
    case .byte: "byte"
    case .double: "double"
    case .float: "float"
    case .boolean: "boolean"
    case .date: "date"
    case .timestamp: "timestamp"
    case .timestampNTZ: "timestamp_ntz"
    case .binary: "binary"
    case .decimal(let precision, let scale): "decimal(\(precision),\(scale))"
    case .array, .map, .structure: nil
    }
  }

  /// Reads a name such as `long` or `decimal(10,2)`.
  init?(name: String) {
    if let type = Self.named[name] {
      self = type
      return
    }
    guard name.hasPrefix("decimal("), name.hasSuffix(")") else { return nil }
    let numbers = name.dropFirst(8).dropLast().split(separator: ",").map {
      Int($0.filter { $0 != " " })
    }
    guard numbers.count == 2, let precision = numbers[0], let scale = numbers[1],
      (1...38).contains(precision), (0...precision).contains(scale)
    else { return nil }
    self = .decimal(precision: precision, scale: scale)
  }
}
