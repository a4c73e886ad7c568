/// Decodes one column chunk into a builder.
struct ColumnChunkReader<Builder: ValueBuilder> {
  private let leaf: LeafColumn
  private let expectedEntries: Int
  private var pages: PageReader
  private var builder: Builder
  private var output: ColumnValues

  init(_ leaf: LeafColumn, entries: Int, _ pages: PageReader, _ builder: Builder) {
    self.leaf = leaf
    expectedEntries = entries
    self.pages = pages
    self.builder = builder
    output = ColumnValues(
      definitionLevels: [], repetitionLevels: [], values: .boolean([]),
      maxDefinitionLevel: leaf.maxDefinitionLevel, entryCount: 0)
  }

  /// Reads pages until all entries are there.
  mutating func read() throws(ParquetError) -> ColumnValues {
    while output.entryCount < expectedEntries {
      switch try pages.next() {
      case .dictionary(let header, var body): try readDictionary(header, &body)
      case .data(let header, var body): try readData(header, &body)
      case .dataV2(let header, let repetition, let definition, var body):
        try readDataV2(header, repetition, definition, &body)
      case .other: break
      }
    }
    output.values = builder.storage
    return output
  }

  private mutating func readDictionary(
    _ header: DictionaryPageHeader, _ body: inout ByteCursor
  ) throws(ParquetError) {
    guard header.encoding == .plain || header.encoding == .plainDictionary else {
      throw body.error(.unsupported, "a dictionary in \(header.encoding); PLAIN is expected")
    }
    guard builder.dictionaryCount == 0, output.entryCount == 0, header.numValues >= 0 else {
      throw body.error(.corruptPage, "a second dictionary, or one of \(header.numValues) values")
    }
    try builder.readDictionary(&body, count: Int(header.numValues))
  }

  private mutating func readData(
    _ header: DataPageHeader, _ body: inout ByteCursor
  ) throws(ParquetError) {
    let count = try checkedCount(header.numValues, body)
    if leaf.maxRepetitionLevel > 0 {
      let levels = try prefixedLevels(&body, header.repetitionLevelEncoding)
      try readLevels(levels, count, leaf.maxRepetitionLevel, into: &output.repetitionLevels)
    }
    if leaf.maxDefinitionLevel > 0 {
      let levels = try prefixedLevels(&body, header.definitionLevelEncoding)
      try readLevels(levels, count, leaf.maxDefinitionLevel, into: &output.definitionLevels)
    }
    try readValues(&body, entries: count, valueCount(ofLast: count), header.encoding)
  }

  private mutating func readDataV2(
    _ header: DataPageHeaderV2, _ repetition: ByteCursor, _ definition: ByteCursor,
    _ body: inout ByteCursor
  ) throws(ParquetError) {
    let count = try checkedCount(header.numValues, body)
    if leaf.maxRepetitionLevel > 0 {
      try readLevels(repetition, count, leaf.maxRepetitionLevel, into: &output.repetitionLevels)
    }
    if leaf.maxDefinitionLevel > 0 {
      try readLevels(definition, count, leaf.maxDefinitionLevel, into: &output.definitionLevels)
    }
    let values = valueCount(ofLast: count)
    guard count - values == Int(header.numNulls) else {
      throw body.error(
        .corruptPage, "a page of \(header.numNulls) nulls has levels for \(count - values)")
    }
    try readValues(&body, entries: count, values, header.encoding)
  }

  private func checkedCount(_ count: Int32, _ body: ByteCursor) throws(ParquetError) -> Int {
    guard (0...expectedEntries - output.entryCount).contains(Int(count)) else {
      throw body.error(
        .corruptPage,
        "a page of \(count) entries where \(expectedEntries - output.entryCount) are missing")
    }
    return Int(count)
  }

  /// Levels of a version 1 page: the length stands before them.
  private func prefixedLevels(
    _ body: inout ByteCursor, _ encoding: Encoding
  ) throws(ParquetError) -> ByteCursor {
    guard encoding == .rle else {
      throw body.error(.unsupported, "levels in \(encoding); RLE is expected")
    }
    let length = Int(try body.uint32("the length of levels"))
    return try body.split(length, "levels")
  }

  private func readLevels(
    _ cursor: ByteCursor, _ count: Int, _ greatest: UInt8, into levels: inout [UInt8]
  ) throws(ParquetError) {
    let bitWidth = UInt8.bitWidth - greatest.leadingZeroBitCount
    var decoder = try HybridDecoder(cursor, bitWidth: bitWidth)
    try decoder.decode(count, below: UInt64(greatest) + 1, into: &levels)
  }

  /// How many of the newest `count` entries have a value.
  private func valueCount(ofLast count: Int) -> Int {
    guard leaf.maxDefinitionLevel > 0 else { return count }
    let greatest = leaf.maxDefinitionLevel
    return output.definitionLevels.withUnsafeBufferPointer { levels in
      var values = 0
      for level in levels.suffix(count) { values &+= level == greatest ? 1 : 0 }
      return values
    }
  }

  private mutating func readValues(
    _ body: inout ByteCursor, entries: Int, _ count: Int, _ encoding: Encoding
  ) throws(ParquetError) {
    output.entryCount += entries
    // Without a value some writers leave even the encoding's own header out.
    guard count > 0 else { return }
    switch encoding {
    case .plainDictionary, .rleDictionary:
      guard builder.dictionaryCount > 0 else {
        throw body.error(.corruptPage, "indices without a dictionary")
      }
      let bitWidth = Int(try body.byte("the width of indices"))
      var decoder = try HybridDecoder(body, bitWidth: bitWidth)
      var indices: [UInt32] = []
      try decoder.decode(count, below: UInt64(builder.dictionaryCount), into: &indices)
      try builder.append(indices: indices)
    default: try builder.append(&body, count: count, encoding: encoding)
    }
  }
}
