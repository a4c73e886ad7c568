import Foundation
import Testing

@testable import Parquet

/// Files with every type, encoding, codec and pattern of nulls, each read by pyarrow, polars and
/// duckdb, which check values, page checksums, statistics and encodings.
@Suite("Written files, read by others", .enabled(if: Python.path != nil, "\(Python.isMissing)"))
struct WriterConformanceTests {
  struct Case: CustomStringConvertible, Sendable {
    let codec: Codec
    let nulls: NullPattern
    /// Rows of each row group.
    let rowCounts: [Int]
    let pageByteLimit: Int

    var description: String {
      "\(codec.format) \(nulls) \(rowCounts.map(String.init).joined(separator: "+")) rows, "
        + "pages of \(pageByteLimit)"
    }

    var file: String {
      let rows = rowCounts.map(String.init).joined(separator: "-")
      return "\(codec.format)-\(nulls)-\(rows)-\(pageByteLimit).parquet"
    }
  }

  static let cases: [Case] = [Codec.uncompressed, .snappy, .zstd(level: 1)].flatMap { codec in
    NullPattern.allCases.flatMap { nulls in
      [([0], 1 << 20), ([1], 1 << 20), ([9, 130], 1 << 20), ([1000, 257], 500)].map {
        Case(codec: codec, nulls: nulls, rowCounts: $0, pageByteLimit: $1)
      }
    }
  }

  /// All files are read by one process, which takes longer to start than to read them.
  static let verdicts = Result {
    let folder = try TemporaryFolder()
    return try Verdicts(of: cases.map { try write($0, into: folder.url) }, in: folder.url)
  }

  @Test(arguments: cases)
  func `other readers find what was written`(_ one: Case) throws {
    #expect(try Self.verdicts.get()[one.file] == [])
  }

  /// Writes one file with one column of each kind; the buffers serve all its row groups.
  private static func write(_ one: Case, into folder: URL) throws -> Expectation {
    let kinds = FlatColumn.all
    let schema = try ParquetSchema(
      kinds.map { one.nulls == .required ? $0.node.required : $0.node })
    let columns = zip(kinds, schema.leaves).map { $0.make($1) }
    var values = kinds.map { _ in [Tree]() }
    var random = SplitMix(seed: UInt64(one.rowCounts.count))
    let options = WriterOptions(codec: one.codec, pageByteLimit: one.pageByteLimit)
    let file = try written(schema, options) { writer in
      for rowCount in one.rowCounts {
        for (index, kind) in kinds.enumerated() {
          for row in 0..<rowCount {
            if one.nulls.isNull(row, of: rowCount, &random) {
              columns[index].appendNull()
              values[index].append(.null)
            } else {
              let sample = kind.value(row, &random)
              columns[index].append(sample)
              values[index].append(.leaf(sample))
            }
          }
        }
        try writer.writeRowGroup(columns)
        #expect(columns.allSatisfy { $0.rowCount == 0 && $0.byteCount == 0 })
      }
    }
    try Data(file).write(to: folder.appending(path: one.file))
    return Expectation(
      file: one.file,
      columns: zip(kinds, values).map {
        .init(name: $0.node.name, values: $1, encodings: [$0.encoding.description, "RLE"])
      })
  }
}
