extension PageHeader {
  func write(to writer: inout CompactWriter) {
    writer.structure { writer in
      writer.field(1, type.rawValue)
      writer.field(2, uncompressedPageSize)
      writer.field(3, compressedPageSize)
      if let crc { writer.field(4, crc) }
      if let dataPage { writer.field(5, structure: dataPage.write) }
      if let dictionaryPage { writer.field(7, structure: dictionaryPage.write) }
    }
  }
}

extension DataPageHeader {
  func write(to writer: inout CompactWriter) {
    writer.field(1, numValues)
    writer.field(2, encoding.rawValue)
    writer.field(3, definitionLevelEncoding.rawValue)
    writer.field(4, repetitionLevelEncoding.rawValue)
  }
}

extension DictionaryPageHeader {
  func write(to writer: inout CompactWriter) {
    writer.field(1, numValues)
    writer.field(2, encoding.rawValue)
  }
}
