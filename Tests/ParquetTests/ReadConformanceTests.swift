import Foundation
import Testing

@testable import Parquet

/// Files that pyarrow, polars, duckdb and deltalake wrote in every encoding, codec and page
/// version that they offer: read here, and compared with what pyarrow or polars reads.
@Suite("Files written by others", .enabled(if: Python.path != nil, "\(Python.isMissing)"))
struct ReadConformanceTests {
  struct Description: Decodable, Sendable {
    let encodings: [String]
    let codecs: [String]
    let columns: [String: [TextTree]]
  }

  /// One process writes all files; it takes longer to start than to write.
  static let written = Result {
    let folder = try TemporaryFolder()
    let printed = try Python.run("write_parquet.py", [folder.url.path])
    return (folder, try JSONDecoder().decode([String: Description].self, from: printed))
  }

  private static func readable() throws -> [(file: String, description: Description)] {
    try written.get().1.filter { !$0.key.contains("unsupported") }.sorted { $0.key < $1.key }
      .map { ($0.key, $0.value) }
  }

  private static func path(_ file: String) throws -> String {
    try written.get().0.url.appending(path: file).path
  }

  @Test(arguments: ["pyarrow", "polars", "duckdb", "deltalake"])
  func `every value is read as its writer meant it`(_ writer: String) throws {
    let files = try Self.readable().filter { $0.file.hasPrefix(writer) }
    #expect(files.count >= 4)
    for (file, description) in files {
      let reader = try FileReader(path: try Self.path(file))
      #expect(Set(reader.schema.fields.map(\.name)) == Set(description.columns.keys))
      for (index, field) in reader.schema.fields.enumerated() {
        let found = try Assembler(file: reader).rows(ofField: index)
        let expected = description.columns[field.name] ?? []
        #expect(found.count == expected.count, "\(file), \(field.name)")
        let row = zip(found, expected).enumerated().first { $0.element.0 != $0.element.1 }
        #expect(row == nil, "\(file), \(field.name)")
      }
    }
  }

  @Test func `the files have every encoding and codec that this library reads`() throws {
    let files = try Self.readable().map(\.description)
    let encodings = Set(files.flatMap(\.encodings))
    #expect(
      encodings.isSuperset(of: [
        "PLAIN", "PLAIN_DICTIONARY", "RLE", "RLE_DICTIONARY", "DELTA_BINARY_PACKED",
        "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT",
      ]))
    #expect(Set(files.flatMap(\.codecs)) == ["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"])
  }

  @Test func `statistics of other writers hold for the values`() throws {
    for (file, _) in try Self.readable() {
      let reader = try FileReader(path: try Self.path(file))
      #expect(try reader.verifyStatistics() == [], "\(file)")
    }
  }

  @Test func `a timestamp of the deprecated kind is microseconds`() throws {
    let reader = try FileReader(path: try Self.path("pyarrow-int96.parquet"))
    let leaf = try #require(reader.schema.leafIndex(["timestamp"]))
    #expect(reader.schema.leaves[leaf].physicalType == .int96)
    guard case .timestampFromInt96 = try reader.readColumn(rowGroup: 0, leaf: leaf).values else {
      Issue.record("INT96 was not read as a timestamp")
      return
    }
  }

  @Test(arguments: ["brotli", "lz4"])
  func `a codec that is not there is named, with a way out`(_ codec: String) throws {
    let path = try Self.path("pyarrow-unsupported-\(codec).parquet")
    let reader = try FileReader(path: path)
    let error = #expect(throws: ParquetError.self) {
      _ = try reader.readColumn(rowGroup: 0, leaf: 0)
    }
    #expect(error?.code == .unsupported)
    #expect(error?.path == path)
    #expect(error?.message.contains(codec.uppercased()) == true)
    #expect(error?.message.contains("rewrite the file") == true)
  }
}
