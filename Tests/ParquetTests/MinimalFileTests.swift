import Testing

@testable import Parquet

/// The smallest useful file, one optional INT64 column `v` = [7, null], written out by hand from
/// parquet.thrift.
///
/// Five independent readers accepted these 180 bytes.
@Suite("The minimal file")
struct MinimalFileTests {
  private static let page: [UInt8] = [
    // PageHeader{1: DATA_PAGE, 2: 16, 3: 16, 5: {1: 2 values, 2: PLAIN, 3: RLE, 4: RLE}}
    0x15, 0x00, 0x15, 0x20, 0x15, 0x20,
    0x2C, 0x15, 0x04, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, 0x00, 0x00,
  ]

  private static let footer: [UInt8] =
    [0x15, 0x02]  // 1: version 1
    + [0x19, 0x2C]  // 2: two schema elements
    + [0x48, 0x0C] + Array("spark_schema".utf8) + [0x15, 0x02, 0x00]
    + [0x15, 0x04, 0x25, 0x02, 0x18, 0x01, 0x76, 0x00]
    + [0x16, 0x04]  // 3: 2 rows
    + [0x19, 0x1C, 0x19, 0x1C, 0x26, 0x00]  // 4: one row group, one chunk, 2: offset 0
    + [0x1C, 0x15, 0x04, 0x19, 0x25, 0x00, 0x06, 0x19, 0x18, 0x01, 0x76]
    + [0x15, 0x00, 0x16, 0x04, 0x16, 0x42, 0x16, 0x42, 0x26, 0x08]
    + [0x3C, 0x36, 0x02]  // 12: statistics, one null
    + [0x28, 0x08, 7, 0, 0, 0, 0, 0, 0, 0, 0x18, 0x08, 7, 0, 0, 0, 0, 0, 0, 0]
    + [0x00, 0x00, 0x00]
    + [0x16, 0x42, 0x16, 0x04, 0x00]
    + [0x28, 0x26] + Array("shopmetricsd version 0.1.0 (build dev)".utf8)  // 6
    + [0x19, 0x1C, 0x1C, 0x00, 0x00, 0x00]  // 7: one column order

  @Test func `its page header and footer come out byte for byte`() throws {
    var writer = CompactWriter()
    PageHeader(
      type: .data, uncompressedPageSize: 16, compressedPageSize: 16,
      dataPage: DataPageHeader(
        numValues: 2, encoding: .plain, definitionLevelEncoding: .rle,
        repetitionLevelEncoding: .rle)
    ).write(to: &writer)
    #expect(writer.bytes == Self.page)

    let chunk = ColumnMetaData(
      type: .int64, encodings: [.plain, .rle], pathInSchema: ["v"], codec: .uncompressed,
      numValues: 2, totalUncompressedSize: 33, totalCompressedSize: 33, dataPageOffset: 4,
      statistics: Statistics(
        nullCount: 1, bounds: ValueBounds(min: .int64(7), max: .int64(7))))
    let group = RowGroup(
      columns: [ColumnChunk(fileOffset: 0, metaData: chunk)], totalByteSize: 33, numRows: 2)
    writer.removeAll()
    FileMetaData(
      version: 1, schema: try ParquetSchema([.int64("v")]).elements, numRows: 2,
      rowGroups: [group], createdBy: WriterOptions().createdBy, columnOrders: [.typeDefined]
    ).write(to: &writer)
    #expect(writer.bytes == Self.footer)
    #expect(4 + Self.page.count + 16 + Self.footer.count + 8 == 180)
  }

  /// The writer's own file differs where it does more: a CRC in the page header, the levels packed
  /// in 2 bytes instead of two runs in 4, and three optional fields of the row group.
  @Test func `the writer's file has these bytes`() throws {
    let schema = try ParquetSchema([.int64("v")])
    let column = Int64Column(schema.leaves[0], encoding: .plain)
    column.append(7)
    column.appendNull()
    let file = try written(schema, WriterOptions(codec: .uncompressed)) {
      try $0.writeRowGroup([column])
    }
    let body: [UInt8] = [2, 0, 0, 0, 0x03, 0x01] + [7, 0, 0, 0, 0, 0, 0, 0]
    let header: [UInt8] =
      [0x15, 0x00, 0x15, 0x1C, 0x15, 0x1C]
      + [0x15, 0x99, 0x93, 0x9F, 0x9A, 0x07]  // 4: CRC-32 of the body
      + [0x1C, 0x15, 0x04, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, 0x00, 0x00]
    #expect(Array(file.prefix(4)) == Array("PAR1".utf8))
    #expect(Array(file.dropFirst(4).prefix(header.count + body.count)) == header + body)
    #expect(Array(file.suffix(4)) == Array("PAR1".utf8))
  }
}

/// The bytes of a file that `body` fills.
func written(
  _ schema: ParquetSchema, _ options: WriterOptions = WriterOptions(),
  _ body: (FileWriter) throws -> Void
) throws -> [UInt8] {
  var bytes: [UInt8] = []
  let writer = try FileWriter(schema: schema, options: options) { bytes += $0 }
  try body(writer)
  _ = try writer.finish()
  return bytes
}
