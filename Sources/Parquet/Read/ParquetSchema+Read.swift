extension ParquetSchema {
  /// The tree that the footer's flat list describes.
  ///
  /// Throws `corruptMetadata` when the list is no tree, `invalidSchema` as the other initializer.
  init(elements: [SchemaElement]) throws(ParquetError) {
    guard let root = elements.first else {
      throw ParquetError(.corruptMetadata, "the footer's schema is empty")
    }
    var rest = elements[1...]
    var fields: [SchemaNode] = []
    for _ in 0..<(try Self.childCount(root, rest.count)) {
      fields.append(try Self.node(&rest, depth: 1))
    }
    guard rest.isEmpty else {
      throw ParquetError(.corruptMetadata, "the schema has \(rest.count) elements too many")
    }
    try self.init(fields)
  }

  /// Far above what people nest, far below the end of the stack.
  private static let depthLimit = 100

  private static func node(
    _ rest: inout ArraySlice<SchemaElement>, depth: Int
  ) throws(ParquetError) -> SchemaNode {
    guard let element = rest.popFirst() else {
      throw ParquetError(.corruptMetadata, "the schema ends inside a group")
    }
    guard let repetition = element.repetition else {
      throw ParquetError(.corruptMetadata, "schema element \(element.name) has no repetition")
    }
    guard depth <= depthLimit else {
      throw ParquetError(.invalidSchema, "the schema nests deeper than \(depthLimit) levels")
    }
    let meaning = element.meaning
    if let type = element.type {
      return SchemaNode(
        element.name, repetition, .leaf(type, meaning, typeLength: element.typeLength))
    }
    var fields: [SchemaNode] = []
    for _ in 0..<(try childCount(element, rest.count)) {
      fields.append(try node(&rest, depth: depth + 1))
    }
    return SchemaNode(element.name, repetition, .group(fields, meaning))
  }

  private static func childCount(
    _ element: SchemaElement, _ available: Int
  ) throws(ParquetError) -> Int {
    let count = Int(element.numChildren ?? 0)
    guard (0...available).contains(count) else {
      throw ParquetError(
        .corruptMetadata,
        "group \(element.name) announces \(count) fields where \(available) elements follow")
    }
    return count
  }
}

extension SchemaElement {
  fileprivate var meaning: LogicalType {
    logicalType
      ?? LogicalType(convertedType: convertedType, precision: precision, scale: scale)
  }
}
