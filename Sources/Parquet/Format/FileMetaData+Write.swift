extension FileMetaData {
  func write(to writer: inout CompactWriter) {
    writer.structure { writer in
      writer.field(1, version)
      writer.field(2, list: schema, of: .structure) { $1.write(to: &$0) }
      writer.field(3, numRows)
      writer.field(4, list: rowGroups, of: .structure) { $1.write(to: &$0) }
      if let keyValueMetadata {
        writer.field(5, list: keyValueMetadata, of: .structure) { $1.write(to: &$0) }
      }
      if let createdBy { writer.field(6, createdBy) }
      if let columnOrders {
        writer.field(7, list: columnOrders, of: .structure) { writer, _ in
          writer.structure { $0.field(1, structure: { _ in }) }
        }
      }
    }
  }
}

extension SchemaElement {
  func write(to writer: inout CompactWriter) {
    writer.structure { writer in
      if let type { writer.field(1, type.rawValue) }
      if let typeLength { writer.field(2, typeLength) }
      if let repetition { writer.field(3, repetition.rawValue) }
      writer.field(4, name)
      if let numChildren { writer.field(5, numChildren) }
      if let convertedType { writer.field(6, convertedType) }
      if let scale { writer.field(7, scale) }
      if let precision { writer.field(8, precision) }
      if let fieldID { writer.field(9, fieldID) }
      if let logicalType { writer.field(10, structure: logicalType.write) }
    }
  }
}

extension LogicalType {
  /// The one member of the union that is set.
  func write(to writer: inout CompactWriter) {
    switch self {
    case .none: break
    case .string: writer.field(1, structure: { _ in })
    case .map: writer.field(2, structure: { _ in })
    case .list: writer.field(3, structure: { _ in })
    case .decimal(let precision, let scale):
      writer.field(5) { writer in
        writer.field(1, scale)
        writer.field(2, precision)
      }
    case .date: writer.field(6, structure: { _ in })
    case .timestampMillis(let utc): Self.write(timestampUnit: 1, utc: utc, to: &writer)
    case .timestampMicros(let utc): Self.write(timestampUnit: 2, utc: utc, to: &writer)
    case .timestampNanos(let utc): Self.write(timestampUnit: 3, utc: utc, to: &writer)
    case .integer(let bitWidth, let signed):
      writer.field(10) { writer in
        writer.field(1, bitWidth)
        writer.field(2, signed)
      }
    case .other(let id): writer.field(id, structure: { _ in })
    }
  }

  private static func write(timestampUnit: Int16, utc: Bool, to writer: inout CompactWriter) {
    writer.field(8) { writer in
      writer.field(1, utc)
      writer.field(2) { writer in writer.field(timestampUnit, structure: { _ in }) }
    }
  }
}

extension KeyValue {
  func write(to writer: inout CompactWriter) {
    writer.structure { writer in
      writer.field(1, key)
      if let value { writer.field(2, value) }
    }
  }
}

extension RowGroup {
  func write(to writer: inout CompactWriter) {
    writer.structure { writer in
      writer.field(1, list: columns, of: .structure) { $1.write(to: &$0) }
      writer.field(2, totalByteSize)
      writer.field(3, numRows)
      if let fileOffset { writer.field(5, fileOffset) }
      if let totalCompressedSize { writer.field(6, totalCompressedSize) }
      if let ordinal { writer.field(7, ordinal) }
    }
  }
}

extension ColumnChunk {
  func write(to writer: inout CompactWriter) {
    writer.structure { writer in
      if let filePath { writer.field(1, filePath) }
      writer.field(2, fileOffset)
      if let metaData { writer.field(3, structure: metaData.write) }
    }
  }
}

extension ColumnMetaData {
  /// The fields alone: the structure is a field of the column chunk.
  func write(to writer: inout CompactWriter) {
    writer.field(1, type.rawValue)
    writer.field(2, list: encodings, of: .int32) { $0.zigzag(Int64($1.rawValue)) }
    writer.field(3, list: pathInSchema, of: .binary) { $0.binary($1.utf8) }
    writer.field(4, codec.rawValue)
    writer.field(5, numValues)
    writer.field(6, totalUncompressedSize)
    writer.field(7, totalCompressedSize)
    writer.field(9, dataPageOffset)
    if let dictionaryPageOffset { writer.field(11, dictionaryPageOffset) }
    if let statistics { writer.field(12, structure: statistics.write) }
  }
}

extension Statistics {
  /// The fields alone: the structure is a field of its column or page.
  func write(to writer: inout CompactWriter) {
    if let nullCount { writer.field(3, nullCount) }
    if let maxValue { writer.field(5, maxValue) }
    if let minValue { writer.field(6, minValue) }
  }
}
