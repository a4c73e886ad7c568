import DurableIO
import Parquet
import Testing

@testable import DeltaLake

struct DataFileWriterTests {
  private func writer(_ place: TemporaryTable, fileBytes: Int) -> DataFileWriter {
    DataFileWriter(
      DataFileWriter.Target(
        tablePath: place.path, schema: TemporaryTable.schema, options: WriterOptions(),
        fileBytes: fileBytes),
      publisher: place.publisher, role: .tableData, namePrefix: "query-00000012")
  }

  private func rows(_ range: Range<Int64>) throws -> [ColumnBuffer] {
    try TestRow.columns(range.map { TestRow.full($0) }, TemporaryTable.schema)
  }

  @Test func `a file is described by its size, its time and its statistics`() throws {
    let place = try TemporaryTable()
    let writer = writer(place, fileBytes: 1 << 20)
    try writer.writeRowGroup(try rows(0..<2))
    try writer.writeRowGroup(try rows(2..<3))
    let files = try writer.finish()
    let file = try #require(files.first)
    let status = try #require(try Files.status("\(place.path)/\(file.path)"))
    #expect(files.count == 1)
    #expect(file.size == Int64(status.size))
    #expect(file.modificationTime == status.mtimeMilliseconds)
    #expect(file.rowCount == 3)
    #expect(file.path.hasPrefix("query-00000012-") && file.path.hasSuffix(".zstd.parquet"))
    #expect(
      file.stats == #"{"numRecords":3,"minValues":{"name":"näme 0 😀","number":0,"small":-3,"#
        + #""at":"2026-01-31T10:00:00.000Z","day":"2024-10-04","ratio":0.5},"#
        + #""maxValues":{"name":"näme 2 😀","number":2000000014,"small":-1,"#
        + #""at":"2026-01-31T10:00:02.469Z","day":"2024-10-06","ratio":2.5},"#
        + #""nullCount":{"name":0,"number":0,"small":0,"at":0,"day":0,"flag":0,"ratio":0,"#
        + #""raw":0}}"#)
  }

  @Test func `a full file is closed at the end of its row group`() throws {
    let place = try TemporaryTable()
    let writer = writer(place, fileBytes: 1)
    for start in 0..<3 { try writer.writeRowGroup(try rows(Int64(start)..<Int64(start) + 2)) }
    let files = try writer.finish()
    #expect(files.map(\.rowCount) == [2, 2, 2])
    #expect(Set(files.map(\.path)).count == 3)
    #expect(writer.byteCount == Int(files.reduce(0) { $0 + $1.size }))
  }

  @Test func `no rows make no file`() throws {
    let place = try TemporaryTable()
    #expect(try writer(place, fileBytes: 1).finish().isEmpty)
    #expect(try Files.list(place.path).isEmpty)
  }

  @Test func `a discarded writer leaves nothing behind`() throws {
    let place = try TemporaryTable()
    let writer = writer(place, fileBytes: 1)
    try writer.writeRowGroup(try rows(0..<2))
    try writer.writeRowGroup(try rows(2..<4))
    writer.discard()
    #expect(try Files.list(place.path).isEmpty)
  }
}
