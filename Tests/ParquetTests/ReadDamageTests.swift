import Foundation
import Testing

@testable import Parquet

/// A damaged file is an error with a place, or correct values; never a trap, never much memory.
@Suite("Damaged files")
struct ReadDamageTests {
  private static let schema = Result {
    try ParquetSchema([
      .int64("offset"), .string("text"), .list("tags", .string("x")), .boolean("flag"),
    ])
  }

  /// Two row groups of every kind of column that the writer has an encoding of its own for.
  private static func file(_ codec: Codec) throws -> [UInt8] {
    let schema = try schema.get()
    let columns: [ColumnBuffer] = [
      Int64Column(schema.leaves[0], encoding: .deltaBinaryPacked),
      ByteArrayColumn(schema.leaves[1], encoding: .dictionary),
      ByteArrayColumn(schema.leaves[2], encoding: .deltaLength),
      BooleanColumn(schema.leaves[3]),
    ]
    return try written(schema, WriterOptions(codec: codec)) { writer in
      for rowGroup in 0..<2 {
        for row in 0..<9 {
          columns[0].append(.int64(Int64(rowGroup * 100 + row)))
          columns[1].append(.bytes(Array("text \(row / 3)".utf8)))
          columns[2].append(.bytes(Array("tag \(row)".utf8)), definition: 3, repetition: 0)
          columns[3].append(.boolean(row % 2 == 0))
        }
        try writer.writeRowGroup(columns)
      }
    }
  }

  /// Every value of a file, as text.
  private static func contents(_ bytes: [UInt8]) throws(ParquetError) -> [[String]] {
    let file = try FileReader(bytes: bytes, name: "damaged")
    var columns: [[String]] = []
    for rowGroup in 0..<file.rowGroupCount {
      for leaf in file.schema.leaves.indices {
        let column = try file.readColumn(rowGroup: rowGroup, leaf: leaf)
        columns.append(column.values.texts(file.schema.leaves[leaf]))
      }
    }
    return columns
  }

  /// The ranges of the pages' bodies, which the checksums in their headers cover.
  private static func bodies(_ bytes: [UInt8]) throws -> [Range<Int>] {
    let file = try FileReader(bytes: bytes, name: "whole")
    let block = ByteBlock(count: bytes.count)
    bytes.withUnsafeBytes { block.bytes.copyMemory(from: $0) }
    let chunks = file.metadata.rowGroups.flatMap(\.columns).compactMap(\.metaData)
    return try chunks.flatMap { chunk in
      var start = Int(chunk.dictionaryPageOffset ?? chunk.dataPageOffset)
      let end = start + Int(chunk.totalCompressedSize)
      var found: [Range<Int>] = []
      while start < end {
        var cursor = ByteCursor(block, fileOffset: 0)
        _ = try cursor.take(start, "what is before")
        var reader = CompactReader(cursor)
        let header = try PageHeader(from: &reader)
        let body = reader.cursor.position
        start = body + Int(header.compressedPageSize)
        found.append(body..<start)
      }
      return found
    }
  }

  @Test func `a file cut at any length is an error that names it`() throws {
    let whole = try Self.file(.zstd(level: 1))
    for length in whole.indices {
      let error = #expect(throws: ParquetError.self) {
        _ = try Self.contents(Array(whole[..<length]))
      }
      #expect(error?.path == "damaged")
    }
  }

  @Test(arguments: [Codec.uncompressed, .snappy, .zstd(level: 1)])
  func `any changed bit of a page is found by its checksum`(_ codec: Codec) throws {
    var bytes = try Self.file(codec)
    let bodies = try Self.bodies(bytes)
    #expect(bodies.count == 10)
    for body in bodies {
      for index in body {
        for bit in 0..<8 {
          bytes[index] ^= 1 << bit
          let error = #expect(throws: ParquetError.self) { _ = try Self.contents(bytes) }
          #expect(error?.code == .checksumMismatch)
          #expect(error?.byteOffset == body.lowerBound)
          bytes[index] ^= 1 << bit
        }
      }
    }
  }

  @Test func `any changed byte before the footer is an error or changes no value`() throws {
    var bytes = try Self.file(.snappy)
    let whole = try Self.contents(bytes)
    let footer = try #require(try Self.bodies(bytes).last).upperBound
    for index in 0..<footer {
      for flip: UInt8 in [0x01, 0x02, 0x10, 0x80, 0xFF] {
        bytes[index] ^= flip
        if let read = try? Self.contents(bytes) { #expect(read == whole, "byte \(index)") }
        bytes[index] ^= flip
      }
    }
  }

  @Test func `a wrong bound or null count in the footer is reported with both values`() throws {
    let bytes = try Self.file(.uncompressed)
    #expect(try FileReader(bytes: bytes, name: "whole").verifyStatistics() == [])
    // The second row group's greatest offset, 108, as the statistics hold it.
    let bound: [UInt8] = [0x28, 0x08, 108, 0, 0, 0, 0, 0, 0, 0]
    let place = try #require(bytes.firstRange(of: bound))
    var changed = bytes
    changed[place.lowerBound + 2] = 107
    let mismatches = try FileReader(bytes: changed, name: "changed").verifyStatistics()
    #expect(
      mismatches.map(\.description) == [
        "row group 1, column offset: max_value is 0x6b00000000000000 in the footer, "
          + "0x6c00000000000000 in the values"
      ])
  }

  @Test func `a file's limits end the reading before memory is taken`() throws {
    let bytes = try Self.file(.zstd(level: 1))
    for limits in [ReadLimits(pageBytes: 4), ReadLimits(chunkValues: 8)] {
      let file = try FileReader(bytes: bytes, name: "large", limits: limits)
      let error = #expect(throws: ParquetError.self) {
        _ = try file.readColumn(rowGroup: 0, leaf: 1)
      }
      #expect(error?.code == .tooLarge)
    }
    let texts = try FileReader(bytes: bytes, name: "large", limits: ReadLimits(chunkBytes: 3))
    let error = #expect(throws: ParquetError.self) {
      _ = try texts.readColumn(rowGroup: 0, leaf: 1)
    }
    #expect(error?.code == .tooLarge)
    #expect(throws: ParquetError.self) {
      _ = try FileReader(bytes: bytes, name: "large", limits: ReadLimits(footerBytes: 10))
    }
  }

  @Test func `what is no Parquet file says so`() throws {
    let cases: [(bytes: [UInt8], code: ParquetError.Code)] = [
      ([], .notParquet), (Array("PAR1".utf8), .notParquet),
      ([UInt8](repeating: 0, count: 100), .notParquet),
      (Array("PAR1".utf8) + [0xFF, 0xFF, 0xFF, 0xFF] + Array("PAR1".utf8), .truncated),
      (Array("PARE".utf8) + [0, 0, 0, 0] + Array("PARE".utf8), .unsupported),
    ]
    for (bytes, code) in cases {
      let error = #expect(throws: ParquetError.self) {
        _ = try FileReader(bytes: bytes, name: "other")
      }
      #expect(error?.code == code)
    }
  }

  @Test func `a path that cannot be read is an error that names it`() throws {
    let folder = try TemporaryFolder()
    for path in [folder.url.path, folder.url.appending(path: "absent.parquet").path] {
      let error = #expect(throws: ParquetError.self) { _ = try FileReader(path: path) }
      #expect(error?.code == .unreadable)
      #expect(error?.path == path)
    }
  }
}
