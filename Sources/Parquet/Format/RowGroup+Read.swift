extension RowGroup {
  init(from reader: inout CompactReader) throws(ParquetError) {
    var columns: [ColumnChunk]?
    var (totalByteSize, numRows): (Int64?, Int64?)
    var (fileOffset, totalCompressedSize): (Int64?, Int64?)
    var ordinal: Int16?
    try reader.structure { reader, field throws(ParquetError) in
      switch field.id {
      case 1: columns = try reader.list(field, of: .structure, ColumnChunk.init)
      case 2: totalByteSize = try reader.int64(field)
      case 3: numRows = try reader.int64(field)
      case 5: fileOffset = try reader.int64(field)
      case 6: totalCompressedSize = try reader.int64(field)
      case 7: ordinal = try reader.int16(field)
      default: try reader.skip(field)
      }
    }
    self.init(
      columns: try required(columns, "columns", reader),
      totalByteSize: try required(totalByteSize, "total_byte_size", reader),
      numRows: try required(numRows, "num_rows", reader),
      fileOffset: fileOffset, totalCompressedSize: totalCompressedSize, ordinal: ordinal)
  }
}

extension ColumnChunk {
  init(from reader: inout CompactReader) throws(ParquetError) {
    var filePath: String?
    var fileOffset: Int64 = 0  // Deprecated, so its absence harms nobody.
    var metaData: ColumnMetaData?
    try reader.structure { reader, field throws(ParquetError) in
      switch field.id {
      case 1: filePath = try reader.string(field)
      case 2: fileOffset = try reader.int64(field)
      case 3: metaData = try ColumnMetaData(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    self.init(filePath: filePath, fileOffset: fileOffset, metaData: metaData)
  }
}

extension ColumnMetaData {
  init(from reader: inout CompactReader, _ field: CompactReader.Field) throws(ParquetError) {
    var (type, codec): (Int32?, Int32?)
    var encodings: [Encoding]?
    var path: [String]?
    var (numValues, uncompressed, compressed): (Int64?, Int64?, Int64?)
    var (dataPageOffset, dictionaryPageOffset): (Int64?, Int64?)
    var statistics: Statistics?
    try reader.structure(field) { reader, field throws(ParquetError) in
      switch field.id {
      case 1: type = try reader.int32(field)
      case 2:
        encodings = try reader.list(field, of: .int32) { reader throws(ParquetError) in
          Encoding(rawValue: try reader.int32Element())
        }
      case 3:
        path = try reader.list(field, of: .binary) { reader throws(ParquetError) in
          try reader.stringElement()
        }
      case 4: codec = try reader.int32(field)
      case 5: numValues = try reader.int64(field)
      case 6: uncompressed = try reader.int64(field)
      case 7: compressed = try reader.int64(field)
      case 9: dataPageOffset = try reader.int64(field)
      case 11: dictionaryPageOffset = try reader.int64(field)
      case 12: statistics = try Statistics(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    let typeCode = try required(type, "type", reader)
    guard let physicalType = PhysicalType(rawValue: typeCode) else {
      throw reader.cursor.error(.unsupported, "physical type \(typeCode) is not known")
    }
    self.init(
      type: physicalType,
      encodings: try required(encodings, "encodings", reader),
      pathInSchema: try required(path, "path_in_schema", reader),
      codec: CompressionCodec(rawValue: try required(codec, "codec", reader)),
      numValues: try required(numValues, "num_values", reader),
      totalUncompressedSize: try required(uncompressed, "total_uncompressed_size", reader),
      totalCompressedSize: try required(compressed, "total_compressed_size", reader),
      dataPageOffset: try required(dataPageOffset, "data_page_offset", reader),
      dictionaryPageOffset: dictionaryPageOffset, statistics: statistics)
  }
}

extension Statistics {
  init(from reader: inout CompactReader, _ field: CompactReader.Field) throws(ParquetError) {
    var statistics = Statistics()
    try reader.structure(field) { reader, field throws(ParquetError) in
      switch field.id {
      case 3: statistics.nullCount = try reader.int64(field)
      case 5: statistics.maxValue = try reader.bytes(field)
      case 6: statistics.minValue = try reader.bytes(field)
      // 1 and 2 are the deprecated bounds, whose order depends on the writer.
      default: try reader.skip(field)
      }
    }
    self = statistics
  }
}
