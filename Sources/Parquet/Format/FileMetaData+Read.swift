extension FileMetaData {
  init(from reader: inout CompactReader) throws(ParquetError) {
    var (version, numRows): (Int32?, Int64?)
    var schema: [SchemaElement]?
    var rowGroups: [RowGroup]?
    var keyValueMetadata: [KeyValue]?
    var createdBy: String?
    var columnOrders: [ColumnOrder]?
    try reader.structure { reader, field throws(ParquetError) in
      switch field.id {
      case 1: version = try reader.int32(field)
      case 2: schema = try reader.list(field, of: .structure, SchemaElement.init)
      case 3: numRows = try reader.int64(field)
      case 4: rowGroups = try reader.list(field, of: .structure, RowGroup.init)
      case 5: keyValueMetadata = try reader.list(field, of: .structure, KeyValue.init)
      case 6: createdBy = try reader.string(field)
      case 7: columnOrders = try reader.list(field, of: .structure, ColumnOrder.init)
      default: try reader.skip(field)
      }
    }
    self.init(
      version: try required(version, "version", reader),
      schema: try required(schema, "schema", reader),
      numRows: try required(numRows, "num_rows", reader),
      rowGroups: try required(rowGroups, "row_groups", reader),
      keyValueMetadata: keyValueMetadata, createdBy: createdBy, columnOrders: columnOrders)
  }
}

extension SchemaElement {
  init(from reader: inout CompactReader) throws(ParquetError) {
    var name: String?
    var element = SchemaElement(name: "")
    try reader.structure { reader, field throws(ParquetError) in
      switch field.id {
      case 1: element.type = try PhysicalType(from: &reader, field)
      case 2: element.typeLength = try reader.int32(field)
      case 3: element.repetition = try Repetition(from: &reader, field)
      case 4: name = try reader.string(field)
      case 5: element.numChildren = try reader.int32(field)
      case 6: element.convertedType = try reader.int32(field)
      case 7: element.scale = try reader.int32(field)
      case 8: element.precision = try reader.int32(field)
      case 9: element.fieldID = try reader.int32(field)
      case 10: element.logicalType = try LogicalType(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    element.name = try required(name, "name", reader)
    self = element
  }
}

extension PhysicalType {
  fileprivate init(
    from reader: inout CompactReader, _ field: CompactReader.Field
  ) throws(ParquetError) {
    let value = try reader.int32(field)
    guard let type = PhysicalType(rawValue: value) else {
      throw reader.cursor.error(.unsupported, "physical type \(value) is not known")
    }
    self = type
  }
}

extension Repetition {
  fileprivate init(
    from reader: inout CompactReader, _ field: CompactReader.Field
  ) throws(ParquetError) {
    let value = try reader.int32(field)
    guard let repetition = Repetition(rawValue: value) else {
      throw reader.cursor.error(.corruptMetadata, "\(value) is no field repetition")
    }
    self = repetition
  }
}

extension KeyValue {
  init(from reader: inout CompactReader) throws(ParquetError) {
    var (key, value): (String?, String?)
    try reader.structure { reader, field throws(ParquetError) in
      switch field.id {
      case 1: key = try reader.string(field)
      case 2: value = String(decoding: try reader.bytes(field), as: UTF8.self)
      default: try reader.skip(field)
      }
    }
    self.init(key: try required(key, "key", reader), value: value)
  }
}

extension ColumnOrder {
  init(from reader: inout CompactReader) throws(ParquetError) {
    var order = ColumnOrder.unknown
    try reader.structure { reader, field throws(ParquetError) in
      if field.id == 1 { order = .typeDefined }
      try reader.skip(field)
    }
    self = order
  }
}
