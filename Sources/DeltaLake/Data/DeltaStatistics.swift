import JSON
public import Parquet

/// The `stats` of an `add`: row count, bounds and null counts (Delta protocol, "Per-file
/// Statistics").
public enum DeltaStatistics {
  /// The leaves that get statistics, as Spark does it by default.
  static let indexedLeaves = 32

  /// The statistics of one data file as JSON text.
  ///
  /// Bounds are left out where a reader could not use them or they would be wrong: booleans, bytes,
  /// NaN, infinities, columns without values, dates outside of the years 1 to 9999.
  ///
  /// - Parameters:
  ///   - schema: the columns of the file, without partition columns.
  ///   - rowCount: the rows of the file.
  ///   - statistics: one for each leaf of the file, in the order of its schema.
  public static func json(
    schema: StructType, rowCount: Int64, _ statistics: [ColumnStatistics]
  ) -> String {
    var leaves = LeafStatistics(statistics)
    let tree = leaves.tree(of: schema)
    var json = JSONWriter()
    json.beginObject()
    json.field("numRecords", rowCount)
    for (name, part) in [
      ("minValues", StatisticsNode.Part.minimum), ("maxValues", .maximum),
      ("nullCount", .nullCount),
    ] {
      json.key(name)
      StatisticsNode.write(tree, part, to: &json)
    }
    json.endObject()
    return json.text
  }
}

/// The statistics of a column: of a leaf, or of the columns in a struct.
private enum StatisticsNode {
  enum Part { case minimum, maximum, nullCount }

  /// The bounds are JSON text.
  case leaf(minimum: String?, maximum: String?, nullCount: Int64)
  case structure([(name: String, node: StatisticsNode)])

  static func write(
    _ columns: [(name: String, node: StatisticsNode)], _ part: Part, to json: inout JSONWriter
  ) {
    json.beginObject()
    for (name, node) in columns where node.has(part) {
      json.key(name)
      switch node {
      case .structure(let columns): write(columns, part, to: &json)
      case .leaf(let minimum, let maximum, let nullCount):
        switch part {
        case .minimum: json.raw(minimum ?? "null")
        case .maximum: json.raw(maximum ?? "null")
        case .nullCount: json.int(nullCount)
        }
      }
    }
    json.endObject()
  }

  private func has(_ part: Part) -> Bool {
    switch (self, part) {
    case (.structure(let columns), _): columns.contains { $0.node.has(part) }
    case (.leaf(let minimum, _, _), .minimum): minimum != nil
    case (.leaf(_, let maximum, _), .maximum): maximum != nil
    case (.leaf, .nullCount): true
    }
  }
}

/// Walks the columns of a schema beside the leaves of its Parquet file.
private struct LeafStatistics {
  private let statistics: [ColumnStatistics]
  private var next = 0
  private var indexed = 0

  init(_ statistics: [ColumnStatistics]) {
    self.statistics = statistics
  }

  mutating func tree(of schema: StructType) -> [(name: String, node: StatisticsNode)] {
    var columns: [(name: String, node: StatisticsNode)] = []
    for field in schema.fields {
      if let node = node(of: field.type) { columns.append((field.name, node)) }
    }
    return columns
  }

  /// nil for what has no statistics: lists, maps, and all leaves after the 32nd.
  private mutating func node(of type: DataType) -> StatisticsNode? {
    switch type {
    case .structure(let schema):
      let columns = tree(of: schema)
      return columns.isEmpty ? nil : .structure(columns)
    case .array, .map:
      next += type.leafCount
      indexed += 1
      return nil
    default:
      defer { next += 1 }
      guard indexed < DeltaStatistics.indexedLeaves, next < statistics.count else { return nil }
      indexed += 1
      let leaf = statistics[next]
      let bounds = Bounds(leaf, type)
      return .leaf(
        minimum: bounds?.minimum, maximum: bounds?.maximum, nullCount: leaf.nullCount)
    }
  }
}

extension DataType {
  fileprivate var leafCount: Int {
    switch self {
    case .structure(let schema): schema.fields.reduce(0) { $0 + $1.type.leafCount }
    case .array(let element, _): element.leafCount
    case .map(let key, let value, _): key.leafCount + value.leafCount
    default: 1
    }
  }
}

/// The bounds of one leaf as JSON text, each of them alone absent when it cannot be stated.
private struct Bounds {
  let minimum: String?
  let maximum: String?

  init?(_ statistics: ColumnStatistics, _ type: DataType) {
    guard let low = statistics.min, let high = statistics.max else { return nil }
    if case .bytes(let lowBytes) = low, case .bytes(let highBytes) = high {
      guard type == .string else { return nil }
      minimum = Self.quoted(StatisticsText.minimum(of: lowBytes))
      maximum = StatisticsText.maximum(of: highBytes).map(Self.quoted)
      return
    }
    minimum = Self.text(low, type)
    maximum = Self.text(high, type)
  }

  private static func text(_ value: StatisticsValue, _ type: DataType) -> String? {
    switch value {
    case .int32(let number): integer(Int64(number), type)
    case .int64(let number): integer(number, type)
    case .double(let number): number.isFinite ? "\(number)" : nil
    default: nil
    }
  }

  private static func integer(_ number: Int64, _ type: DataType) -> String? {
    switch type {
    case .long, .integer, .short, .byte: String(number)
    case .date: StatisticsText.date(daysSinceEpoch: number).map(quoted)
    case .timestamp: StatisticsText.timestamp(microseconds: number).map(quoted)
    case .decimal(_, let scale): StatisticsText.decimal(number, scale: scale)
    default: nil
    }
  }

  private static func quoted(_ text: String) -> String {
    var json = JSONWriter()
    json.string(text)
    return json.text
  }
}
