import Foundation
import Testing

@testable import Parquet

/// Committed files of other writers, so that reading is tested without them too.
///
/// They are the seeds of fuzzing: Tests/Fuzz/README.md says what wrote them, make_parquet_seeds.py
/// what is in them.
@Suite("Committed files of others")
struct ReadGoldenTests {
  private static let texts = (0..<40).map { row in row % 7 == 0 ? nil : "text-\(row / 3)" }
  private static let numbers = (0..<40).map { row in row % 5 == 0 ? nil : Int64(row * row) }

  private static func column(_ file: String, _ name: String) throws -> [ColumnValues] {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fuzz/Corpus/parquet/\(file).parquet").standardized.path
    let reader = try FileReader(path: path)
    let leaf = try #require(reader.schema.leaves.firstIndex { $0.name == name })
    return try (0..<reader.rowGroupCount).map { try reader.readColumn(rowGroup: $0, leaf: leaf) }
  }

  @Test(arguments: [
    "pyarrow-dictionary", "pyarrow-plain", "pyarrow-checksum", "pyarrow-v2", "pyarrow-mixed",
    "pyarrow-delta_length_byte_array", "pyarrow-delta_byte_array",
  ])
  func `texts`(_ file: String) throws {
    let values = try #require(try Self.column(file, "t").first)
    guard case .byteArray(let texts) = values.values else {
      Issue.record("\(file) has no texts")
      return
    }
    #expect(values.entries { texts.string($0) } == Self.texts)
  }

  @Test(arguments: [
    "pyarrow-dictionary", "pyarrow-plain", "pyarrow-v2", "pyarrow-delta_binary_packed",
    "pyarrow-byte_stream_split",
  ])
  func `numbers`(_ file: String) throws {
    let values = try #require(try Self.column(file, "n").first)
    guard case .int64(let numbers) = values.values else {
      Issue.record("\(file) has no numbers")
      return
    }
    #expect(values.entries { numbers[$0] } == Self.numbers)
  }

  @Test func `INT96 timestamps`() throws {
    let values = try #require(try Self.column("pyarrow-int96", "m").first)
    guard case .timestampFromInt96(let moments) = values.values else {
      Issue.record("there are no INT96 timestamps")
      return
    }
    // 2026-01-31T00:00:00Z and the seconds after it.
    #expect(moments == (0..<40).map { 1_769_817_600_000_000 + $0 * 1_000_000 })
  }

  @Test func `lists with nulls and without elements`() throws {
    let values = try #require(try Self.column("pyarrow-lists", "l.list.element").first)
    // null, [], ["a", null], ["b", "b", "b"], and so ten times.
    let levels: [(definition: UInt8, repetition: UInt8)] = [
      (0, 0), (1, 0), (3, 0), (2, 1), (3, 0), (3, 1), (3, 1),
    ]
    let rows = Array(repeatElement(levels, count: 10).joined())
    #expect(values.definitionLevels == rows.map(\.definition))
    #expect(values.repetitionLevels == rows.map(\.repetition))
    guard case .byteArray(let texts) = values.values else {
      Issue.record("the elements are no texts")
      return
    }
    let elements = repeatElement(["a", "b", "b", "b"], count: 10).joined()
    #expect((0..<texts.count).map(texts.string) == Array(elements))
  }

  @Test func `maps in several row groups`() throws {
    let keys = try Self.column("pyarrow-maps", "m.key_value.key")
    #expect(keys.count == 3)
    #expect(keys.map(\.values.count).reduce(0, +) == 18)
    #expect(keys.flatMap(\.repetitionLevels).filter { $0 == 1 }.count == 9)
  }
}
