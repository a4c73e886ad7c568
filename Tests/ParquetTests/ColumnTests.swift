import Testing

@testable import Parquet

@Suite("Columns and their statistics")
struct ColumnTests {
  @Test func `a full dictionary hands over to plain values within the chunk`() throws {
    let schema = try ParquetSchema([.string("s")])
    let column = ByteArrayColumn(schema.leaves[0], encoding: .dictionary(byteLimit: 1000))
    let metaData = try finished(schema, [column]) { row in column.append("value \(row % 500)") }
    let chunk = try #require(metaData.rowGroups.first?.columns.first?.metaData)
    #expect(chunk.encodings == [.plain, .rleDictionary, .rle])
    #expect(chunk.dictionaryPageOffset == 4)
    #expect(chunk.dataPageOffset > 4)
  }

  @Test func `two hundred thousand distinct strings do not grow the dictionary forever`() throws {
    let schema = try ParquetSchema([.string("s")])
    let column = ByteArrayColumn(schema.leaves[0])
    for row in 0..<200_000 { column.append("a rather long distinct value number \(row)") }
    #expect(column.valueCount == 200_000)
    #expect(column.byteCount < 16 << 20, "9 MB of strings, lengths, indices and a hash table")
    let writer = try FileWriter(schema: schema) { _ in }
    try writer.writeRowGroup([column])
    #expect(column.byteCount == 0)
    let chunk = try #require(try writer.finish().rowGroups.first?.columns.first?.metaData)
    let firstPage = chunk.dataPageOffset - (chunk.dictionaryPageOffset ?? 0)
    #expect(firstPage > 0 && firstPage < 4 << 20)
    // Spark before 3.5.6 misreads the delta encodings of strings.
    #expect(chunk.encodings == [.plain, .rleDictionary, .rle])
  }

  @Test func `a constant column costs next to nothing`() throws {
    let schema = try ParquetSchema([.timestamp("ingested_at"), .string("kafka_topic")])
    let time = Int64Column(schema.leaves[0])
    let topic = ByteArrayColumn(schema.leaves[1])
    let file = try written(schema) { writer in
      for _ in 0..<131_072 {
        time.append(1_772_000_000_000_000)
        topic.append("clickstream-events")
      }
      try writer.writeRowGroup([time, topic])
    }
    #expect(file.count < 700, "131,072 rows in two columns, footer included")
  }

  @Test func `bounds of the file span its row groups and are never shortened`() throws {
    let schema = try ParquetSchema([.string("s"), .int64("n"), .double("d")])
    let text = ByteArrayColumn(schema.leaves[0])
    let number = Int64Column(schema.leaves[1])
    let real = DoubleColumn(schema.leaves[2])
    let long = String(repeating: "z", count: 10_000)
    let writer = try FileWriter(schema: schema) { _ in }
    for (word, value, fraction) in [("b", 5, 0.5), ("", -7, Double.nan), (long, 0, -1)] {
      text.append(word)
      number.append(Int64(value))
      real.append(fraction)
      text.appendNull()
      number.append(3)
      real.appendNull()
      try writer.writeRowGroup([text, number, real])
    }
    let metaData = try writer.finish()
    #expect(
      writer.fileStatistics == [
        ColumnStatistics(nullCount: 3, min: .bytes([]), max: .bytes(Array(long.utf8))),
        ColumnStatistics(nullCount: 0, min: .int64(-7), max: .int64(5)),
        ColumnStatistics(nullCount: 3),
      ])
    let inFooter = metaData.rowGroups.map { $0.columns[0].metaData?.statistics?.maxValue?.count }
    #expect(inFooter == [1, 0, nil], "the footer leaves bounds above 4 KiB out")
  }

  @Test func `bytes compare unsigned and shorter before longer`() throws {
    let schema = try ParquetSchema([.binary("b")])
    let values: [[UInt8]] = [
      [0x7F, 0xFF], [0x80], [0x7F], [1, 2, 3, 4, 5, 6, 7, 8, 0], [0x80, 0],
    ]
    for encoding in [ByteArrayEncoding.plain, .dictionary, .deltaLength] {
      let column = ByteArrayColumn(schema.leaves[0], encoding: encoding)
      let writer = try FileWriter(schema: schema) { _ in }
      for value in values { value.withUnsafeBytes { column.append($0) } }
      try writer.writeRowGroup([column])
      #expect(writer.fileStatistics[0].min == .bytes([1, 2, 3, 4, 5, 6, 7, 8, 0]))
      #expect(writer.fileStatistics[0].max == .bytes([0x80, 0]))
    }
  }

  @Test func `a value larger than a page has a page of its own`() throws {
    let schema = try ParquetSchema([.binary("raw_value")])
    let column = ByteArrayColumn(schema.leaves[0], encoding: .deltaLength)
    let large = [UInt8](repeating: 0xAB, count: 3 << 20)
    let file = try written(schema, WriterOptions(codec: .uncompressed)) { writer in
      for _ in 0..<3 { large.withUnsafeBytes { column.append($0) } }
      try writer.writeRowGroup([column])
    }
    #expect(file.count > 3 * large.count && file.count < 3 * large.count + 1000)
  }

  @Test func `a page ends where a row ends`() throws {
    let schema = try ParquetSchema([.list("l", .int64("x"))])
    var levels = LevelBuffer(leaf: schema.leaves[0])
    for entries in [3, 1, 4] {
      for entry in 0..<entries {
        levels.append(definition: 3, repetition: entry == 0 ? 0 : 1)
      }
    }
    let first = levels.slice(fromLevel: 0, value: 0, valueLimit: 5)
    #expect(first.values == 0..<4, "the third row would pass the limit of 5 values")
    let second = levels.slice(fromLevel: 4, value: 4, valueLimit: 5)
    #expect(second.values == 4..<8, "a single row is not split")
  }

  @Test func `a failing disk stops the writer with its own error`() throws {
    struct DiskFull: Error {}
    let schema = try ParquetSchema([.int64("n")])
    let column = Int64Column(schema.leaves[0])
    var room = 10
    let writer = try FileWriter(schema: schema) { bytes in
      room -= bytes.count
      if room < 0 { throw DiskFull() }
    }
    column.append(1)
    #expect(throws: DiskFull.self) { try writer.writeRowGroup([column]) }
  }

  @Test func `schemas that no reader could follow are refused`() {
    #expect(throws: ParquetError.self) { try ParquetSchema([.group("empty", [])]) }
    #expect(throws: ParquetError.self) {
      try ParquetSchema([.leaf("fixed", .fixedLenByteArray)])
    }
  }

  /// The footer after one row group of 1,000 rows.
  private func finished(
    _ schema: ParquetSchema, _ columns: [ColumnBuffer], _ append: (Int) -> Void
  ) throws -> FileMetaData {
    let writer = try FileWriter(schema: schema) { _ in }
    for row in 0..<1000 { append(row) }
    try writer.writeRowGroup(columns)
    return try writer.finish()
  }
}
