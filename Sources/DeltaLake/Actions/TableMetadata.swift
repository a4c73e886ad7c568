import JSON

/// What the table is: the `metaData` action of the Delta protocol.
public struct TableMetadata: Equatable, Sendable {
  /// The identity of the table, never changed again.
  public var id: String
  public var name: String?
  public var description: String?
  /// The format of the data files; the protocol knows only `parquet`.
  public var provider: String
  public var formatOptions: [String: String]
  /// The schema as Spark's type JSON; `StructType(schemaString:)` reads it.
  public var schemaString: String
  public var partitionColumns: [String]
  /// The table's properties, `delta.…` and others.
  public var configuration: [String: String]
  /// Milliseconds since 1970.
  public var createdTime: Int64?

  public init(
    id: String, name: String? = nil, description: String? = nil, schemaString: String,
    partitionColumns: [String] = [], configuration: [String: String] = [:], createdTime: Int64?
  ) {
    self.id = id
    self.name = name
    self.description = description
    self.provider = "parquet"
    self.formatOptions = [:]
    self.schemaString = schemaString
    self.partitionColumns = partitionColumns
    self.configuration = configuration
    self.createdTime = createdTime
  }

  init(_ fields: ActionFields) throws(ActionError) {
    id = try fields.string("id")
    name = try fields.optionalString("name")
    description = try fields.optionalString("description")
    let format = ActionFields(
      action: "metaData.format", object: try fields.optionalObject("format") ?? JSONObject())
    provider = try format.optionalString("provider") ?? "parquet"
    formatOptions = try format.optionalTextMap("options") ?? [:]
    schemaString = try fields.string("schemaString")
    partitionColumns = try fields.optionalStrings("partitionColumns") ?? []
    configuration = try fields.optionalTextMap("configuration") ?? [:]
    createdTime = try fields.optionalInteger("createdTime")
  }

  func write(to json: inout JSONWriter) {
    json.field("id", id)
    json.field("name", ifPresent: name)
    json.field("description", ifPresent: description)
    json.key("format")
    json.beginObject()
    json.field("provider", provider)
    json.field("options", formatOptions)
    json.endObject()
    json.field("schemaString", schemaString)
    json.field("partitionColumns", partitionColumns)
    json.field("configuration", configuration)
    json.field("createdTime", ifPresent: createdTime)
  }
}
