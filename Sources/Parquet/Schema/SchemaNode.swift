/// One field of a schema: a leaf that holds values, or a group of fields.
public struct SchemaNode: Equatable, Sendable {
  public indirect enum Kind: Equatable, Sendable {
    /// `typeLength` is the width in bytes of a fixed-length byte array, nil for other types.
    case leaf(PhysicalType, LogicalType, typeLength: Int32?)
    case group([SchemaNode], LogicalType)
  }

  public var name: String
  public var repetition: Repetition
  public var kind: Kind

  public init(_ name: String, _ repetition: Repetition, _ kind: Kind) {
    self.name = name
    self.repetition = repetition
    self.kind = kind
  }

  /// The same field, present in every row.
  public var required: SchemaNode { SchemaNode(name, .required, kind) }
}

/// Optional fields of the usual types; `.required` makes one mandatory.
extension SchemaNode {
  public static func boolean(_ name: String) -> SchemaNode { leaf(name, .boolean) }

  public static func int32(_ name: String) -> SchemaNode { leaf(name, .int32) }

  public static func int64(_ name: String) -> SchemaNode { leaf(name, .int64) }

  public static func double(_ name: String) -> SchemaNode { leaf(name, .double) }

  public static func binary(_ name: String) -> SchemaNode { leaf(name, .byteArray) }

  /// UTF-8 text.
  public static func string(_ name: String) -> SchemaNode { leaf(name, .byteArray, .string) }

  /// Days since 1970-01-01.
  public static func date(_ name: String) -> SchemaNode { leaf(name, .int32, .date) }

  /// An instant: microseconds since 1970-01-01T00:00:00Z.
  public static func timestamp(_ name: String) -> SchemaNode {
    leaf(name, .int64, .timestampMicros(utc: true))
  }

  public static func leaf(
    _ name: String, _ type: PhysicalType, _ meaning: LogicalType = .none
  ) -> SchemaNode {
    SchemaNode(name, .optional, .leaf(type, meaning, typeLength: nil))
  }

  public static func group(_ name: String, _ fields: [SchemaNode]) -> SchemaNode {
    SchemaNode(name, .optional, .group(fields, .none))
  }

  /// The three-level list of LogicalTypes.md; the element's own name becomes `element`.
  public static func list(_ name: String, _ element: SchemaNode) -> SchemaNode {
    let element = SchemaNode("element", element.repetition, element.kind)
    let entries = SchemaNode("list", .repeated, .group([element], .none))
    return SchemaNode(name, .optional, .group([entries], .list))
  }

  /// A map from string to optional string, in the three-level form of LogicalTypes.md.
  public static func map(_ name: String) -> SchemaNode {
    let pair: [SchemaNode] = [.string("key").required, .string("value")]
    let entries = SchemaNode("key_value", .repeated, .group(pair, .none))
    return SchemaNode(name, .optional, .group([entries], .map))
  }
}
