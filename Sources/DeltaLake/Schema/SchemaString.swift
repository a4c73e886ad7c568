import JSON

/// `metaData.schemaString`: Spark's type JSON (Delta protocol, "Schema Serialization Format").
extension StructType {
  /// - Throws: `SchemaError` naming the column.
  public init(schemaString: String) throws {
    let value: JSONValue
    do {
      value = try JSONValue.parse(schemaString)
    } catch {
      throw SchemaError("expected JSON, byte \(error.byteOffset): \(error.message)")
    }
    guard case .structure(let schema) = try Self.type(value, of: "the table") else {
      throw SchemaError("expected a struct, found another type")
    }
    self = schema
  }

  /// The schema as text, byte for byte as Spark writes it.
  public var schemaString: String {
    var json = JSONWriter()
    write(to: &json)
    return json.text
  }

  private static func type(_ value: JSONValue, of column: String) throws(SchemaError) -> DataType {
    if case .string(let name) = value {
      guard let type = DataType(name: name) else {
        throw SchemaError("column \(column): type \(name) is not supported")
      }
      return type
    }
    guard case .object(let object) = value, let kind = object.string("type") else {
      throw SchemaError("column \(column): expected a type, found \(value.text)")
    }
    switch kind {
    case "struct": return .structure(try structure(object, of: column))
    case "array":
      return .array(
        element: try type(object["elementType"] ?? .null, of: column + ".element"),
        containsNull: object.bool("containsNull") ?? true)
    case "map":
      return .map(
        key: try type(object["keyType"] ?? .null, of: column + ".key"),
        value: try type(object["valueType"] ?? .null, of: column + ".value"),
        valueContainsNull: object.bool("valueContainsNull") ?? true)
    default: throw SchemaError("column \(column): type \(kind) is not supported")
    }
  }

  private static func structure(
    _ object: JSONObject, of column: String
  ) throws(SchemaError) -> StructType {
    guard case .array(let elements)? = object["fields"] else {
      throw SchemaError("column \(column): expected an array of fields")
    }
    var fields: [StructField] = []
    for element in elements {
      guard case .object(let field) = element, let name = field.string("name") else {
        throw SchemaError("column \(column): expected a field with a name, found \(element.text)")
      }
      fields.append(
        StructField(
          name: name, type: try type(field["type"] ?? .null, of: name),
          nullable: field.bool("nullable") ?? true,
          metadata: field.object("metadata") ?? JSONObject()))
    }
    return StructType(fields)
  }

  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.field("type", "struct")
    json.key("fields")
    json.beginArray()
    for field in fields { field.write(to: &json) }
    json.endArray()
    json.endObject()
  }
}

extension StructField {
  fileprivate func write(to json: inout JSONWriter) {
    json.beginObject()
    json.field("name", name)
    json.key("type")
    type.write(to: &json)
    json.field("nullable", nullable)
    json.key("metadata")
    JSONValue.object(metadata).write(to: &json)
    json.endObject()
  }
}

extension DataType {
  fileprivate func write(to json: inout JSONWriter) {
    if let name { return json.string(name) }
    switch self {
    case .structure(let schema): schema.write(to: &json)
    case .array(let element, let containsNull):
      json.beginObject()
      json.field("type", "array")
      json.key("elementType")
      element.write(to: &json)
      json.field("containsNull", containsNull)
      json.endObject()
    case .map(let key, let value, let valueContainsNull):
      json.beginObject()
      json.field("type", "map")
      json.key("keyType")
      key.write(to: &json)
      json.key("valueType")
      value.write(to: &json)
      json.field("valueContainsNull", valueContainsNull)
      json.endObject()
    default:
      preconditionFailure("a type has a name or is a struct, an array or a map")
    }
  }
}
