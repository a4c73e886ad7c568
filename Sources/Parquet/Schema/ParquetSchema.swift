/// A leaf of the schema: what one column chunk holds.
public struct LeafColumn: Equatable, Sendable {
  /// The names from below the root to the leaf.
  public let path: [String]
  public let physicalType: PhysicalType
  public let logicalType: LogicalType
  /// Width in bytes of a fixed-length byte array.
  public let typeLength: Int32?
  /// The definition level of a value that is there: how many ancestors, itself included, are not
  /// required.
  public let maxDefinitionLevel: UInt8
  /// How many ancestors, itself included, are repeated.
  public let maxRepetitionLevel: UInt8

  public init(
    path: [String], physicalType: PhysicalType, logicalType: LogicalType, typeLength: Int32? = nil,
    maxDefinitionLevel: UInt8, maxRepetitionLevel: UInt8
  ) {
    self.path = path
    self.physicalType = physicalType
    self.logicalType = logicalType
    self.typeLength = typeLength
    self.maxDefinitionLevel = maxDefinitionLevel
    self.maxRepetitionLevel = maxRepetitionLevel
  }

  /// The path as people write it.
  public var name: String { path.joined(separator: ".") }
}

/// The fields below the root, and the leaves in the order of the file's column chunks.
public struct ParquetSchema: Equatable, Sendable {
  public let fields: [SchemaNode]
  public let leaves: [LeafColumn]

  /// Throws `invalidSchema` for a group without fields, a fixed-length leaf without a positive
  /// length, and nesting deeper than 255 levels.
  public init(_ fields: [SchemaNode]) throws(ParquetError) {
    var leaves: [LeafColumn] = []
    for field in fields {
      try Self.collect(field, path: [], definition: 0, repetition: 0, into: &leaves)
    }
    self.fields = fields
    self.leaves = leaves
  }

  private static func collect(
    _ node: SchemaNode, path: [String], definition: Int, repetition: Int,
    into leaves: inout [LeafColumn]
  ) throws(ParquetError) {
    let path = path + [node.name]
    let definition = definition + (node.repetition == .required ? 0 : 1)
    let repetition = repetition + (node.repetition == .repeated ? 1 : 0)
    guard path.count <= Int(UInt8.max) else {
      throw ParquetError(.invalidSchema, "the schema nests deeper than 255 levels")
    }
    switch node.kind {
    case .group(let fields, _):
      if fields.isEmpty {
        throw ParquetError(
          .invalidSchema, "group \(path.joined(separator: ".")) has no fields")
      }
      for field in fields {
        try collect(
          field, path: path, definition: definition, repetition: repetition, into: &leaves)
      }
    case .leaf(let type, let meaning, let typeLength):
      if type == .fixedLenByteArray, (typeLength ?? 0) <= 0 {
        throw ParquetError(
          .invalidSchema,
          "\(path.joined(separator: ".")) is a fixed-length byte array without a length")
      }
      leaves.append(
        LeafColumn(
          path: path, physicalType: type, logicalType: meaning, typeLength: typeLength,
          maxDefinitionLevel: UInt8(definition), maxRepetitionLevel: UInt8(repetition)))
    }
  }

  /// The index of the leaf with this path.
  public func leafIndex(_ path: [String]) -> Int? { leaves.firstIndex { $0.path == path } }
}
