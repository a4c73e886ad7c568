package import JSON

/// The columns of a table, or of a nested structure.
public struct StructType: Equatable, Sendable {
  public var fields: [StructField]

  public init(_ fields: [StructField]) {
    self.fields = fields
  }

  /// The field of that name; names are matched exactly.
  public func field(named name: String) -> StructField? {
    fields.first { $0.name == name }
  }

  /// The columns that are stored in data files: all but the partition columns.
  public func without(_ columns: [String]) -> StructType {
    StructType(fields.filter { !columns.contains($0.name) })
  }
}

/// One column.
public struct StructField: Equatable, Sendable {
  public var name: String
  public var type: DataType
  public var nullable: Bool
  /// The column's `metadata`, the comment included.
  package var metadata: JSONObject

  public init(_ name: String, _ type: DataType, nullable: Bool = true, comment: String? = nil) {
    self.name = name
    self.type = type
    self.nullable = nullable
    self.metadata = JSONObject()
    if let comment { metadata.members.append((key: "comment", value: .string(comment))) }
  }

  init(name: String, type: DataType, nullable: Bool, metadata: JSONObject) {
    self.name = name
    self.type = type
    self.nullable = nullable
    self.metadata = metadata
  }

  /// What the column means, for the people who read the table.
  public var comment: String? { metadata.string("comment") }
}

/// Why a schema cannot be used.
public struct SchemaError: Error, Equatable, Sendable, CustomStringConvertible {
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension TableMetadata {
  /// The metadata after columns were added: same identity, same properties, the new columns last.
  ///
  /// Commit it as a `metaData` action. Files that were written before lack the columns and read as
  /// null there, so each of them must be nullable.
  ///
  /// - Throws: `SchemaError` when a column exists already, ignoring case, or is not nullable.
  public func adding(_ columns: [StructField]) throws -> TableMetadata {
    var schema = try StructType(schemaString: schemaString)
    for column in columns {
      guard column.nullable else {
        throw SchemaError("column \(column.name): expected nullable, found not null")
      }
      schema.fields.append(column)
    }
    try schema.checkNames()
    var metadata = self
    metadata.schemaString = schema.schemaString
    return metadata
  }
}

extension StructType {
  /// Checks that the names are ones that every engine can store.
  ///
  /// - Throws: `SchemaError` for an empty name, a name given twice (ignoring case), or one with a
  ///   character that Parquet writers of other engines refuse.
  public func checkNames() throws {
    var seen: Set<String> = []
    for field in fields {
      guard !field.name.isEmpty, !field.name.contains(where: " ,;{}()\n\t=".contains) else {
        throw SchemaError("column \"\(field.name)\": expected a name without \" ,;{}()\\n\\t=\"")
      }
      guard seen.insert(field.name.lowercased()).inserted else {
        throw SchemaError("column \(field.name): found twice (upper and lower case are the same)")
      }
      if case .structure(let inner) = field.type { try inner.checkNames() }
    }
  }
}
