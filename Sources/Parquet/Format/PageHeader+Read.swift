extension PageHeader {
  init(from reader: inout CompactReader) throws(ParquetError) {
    var (type, uncompressed, compressed, crc): (Int32?, Int32?, Int32?, Int32?)
    var dataPage: DataPageHeader?
    var dictionaryPage: DictionaryPageHeader?
    var dataPageV2: DataPageHeaderV2?
    try reader.structure { reader, field throws(ParquetError) in
      switch field.id {
      case 1: type = try reader.int32(field)
      case 2: uncompressed = try reader.int32(field)
      case 3: compressed = try reader.int32(field)
      case 4: crc = try reader.int32(field)
      case 5: dataPage = try DataPageHeader(from: &reader, field)
      case 7: dictionaryPage = try DictionaryPageHeader(from: &reader, field)
      case 8: dataPageV2 = try DataPageHeaderV2(from: &reader, field)
      default: try reader.skip(field)
      }
    }
    self.init(
      type: PageType(rawValue: try required(type, "type", reader)),
      uncompressedPageSize: try required(uncompressed, "uncompressed_page_size", reader),
      compressedPageSize: try required(compressed, "compressed_page_size", reader),
      crc: crc, dataPage: dataPage, dictionaryPage: dictionaryPage, dataPageV2: dataPageV2)
  }
}

extension DataPageHeader {
  init(from reader: inout CompactReader, _ field: CompactReader.Field) throws(ParquetError) {
    var (numValues, encoding, definition, repetition): (Int32?, Int32?, Int32?, Int32?)
    try reader.structure(field) { reader, field throws(ParquetError) in
      switch field.id {
      case 1: numValues = try reader.int32(field)
      case 2: encoding = try reader.int32(field)
      case 3: definition = try reader.int32(field)
      case 4: repetition = try reader.int32(field)
      default: try reader.skip(field)
      }
    }
    self.init(
      numValues: try required(numValues, "num_values", reader),
      encoding: Encoding(rawValue: try required(encoding, "encoding", reader)),
      definitionLevelEncoding: Encoding(
        rawValue: try required(definition, "definition_level_encoding", reader)),
      repetitionLevelEncoding: Encoding(
        rawValue: try required(repetition, "repetition_level_encoding", reader)))
  }
}

extension DictionaryPageHeader {
  init(from reader: inout CompactReader, _ field: CompactReader.Field) throws(ParquetError) {
    var (numValues, encoding): (Int32?, Int32?)
    try reader.structure(field) { reader, field throws(ParquetError) in
      switch field.id {
      case 1: numValues = try reader.int32(field)
      case 2: encoding = try reader.int32(field)
      default: try reader.skip(field)
      }
    }
    self.init(
      numValues: try required(numValues, "num_values", reader),
      encoding: Encoding(rawValue: try required(encoding, "encoding", reader)))
  }
}

extension DataPageHeaderV2 {
  init(from reader: inout CompactReader, _ field: CompactReader.Field) throws(ParquetError) {
    var (numValues, numNulls, numRows, encoding): (Int32?, Int32?, Int32?, Int32?)
    var (definitionLength, repetitionLength): (Int32?, Int32?)
    var isCompressed = true
    try reader.structure(field) { reader, field throws(ParquetError) in
      switch field.id {
      case 1: numValues = try reader.int32(field)
      case 2: numNulls = try reader.int32(field)
      case 3: numRows = try reader.int32(field)
      case 4: encoding = try reader.int32(field)
      case 5: definitionLength = try reader.int32(field)
      case 6: repetitionLength = try reader.int32(field)
      case 7: isCompressed = try reader.boolean(field)
      default: try reader.skip(field)
      }
    }
    self.init(
      numValues: try required(numValues, "num_values", reader),
      numNulls: try required(numNulls, "num_nulls", reader),
      numRows: try required(numRows, "num_rows", reader),
      encoding: Encoding(rawValue: try required(encoding, "encoding", reader)),
      definitionLevelsByteLength: try required(
        definitionLength, "definition_levels_byte_length", reader),
      repetitionLevelsByteLength: try required(
        repetitionLength, "repetition_levels_byte_length", reader),
      isCompressed: isCompressed)
  }
}
