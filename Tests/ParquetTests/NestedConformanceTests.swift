import Foundation
import Testing

@testable import Parquet

/// Nested columns, up to those of a Delta checkpoint, read by others.
@Suite("Nested files, read by others", .enabled(if: Python.path != nil, "\(Python.isMissing)"))
struct NestedConformanceTests {
  struct Shape: CustomStringConvertible, Sendable {
    let description: String
    let fields: [SchemaNode]
  }

  private static let shapes = [
    Shape(description: "list of strings", fields: [.list("tags", .string("x")), .int64("n")]),
    Shape(
      description: "list of required numbers", fields: [.list("numbers", .int64("x").required)]),
    Shape(description: "map", fields: [.map("options"), .boolean("b")]),
    // No required strings in optional groups: polars 2.1 stumbles over their second page of
    // DELTA_LENGTH_BYTE_ARRAY, in files of pyarrow too.
    Shape(
      description: "groups in groups",
      fields: [
        .group("a", [.group("b", [.string("c"), .int32("d").required]), .double("e")])
      ]),
    Shape(
      description: "list of lists", fields: [.list("outer", .list("inner", .int64("x")))]),
    Shape(
      description: "list of groups with lists",
      fields: [
        .list("items", .group("x", [.string("name"), .list("sizes", .int32("y")), .map("more")]))
      ]),
    Shape(description: "Delta checkpoint", fields: checkpoint),
  ]

  /// The columns of Delta's PROTOCOL.md, "Checkpoint Schema", for tables of version 1, 2.
  private static let checkpoint: [SchemaNode] = [
    .group("txn", [.string("appId"), .int64("version"), .int64("lastUpdated")]),
    .group(
      "add",
      [
        .string("path"), .map("partitionValues"), .int64("size"), .int64("modificationTime"),
        .boolean("dataChange"), .string("stats"), .map("tags"),
      ]),
    .group(
      "metaData",
      [
        .string("id"), .string("name"), .group("format", [.string("provider"), .map("options")]),
        .string("schemaString"), .list("partitionColumns", .string("x")), .map("configuration"),
        .int64("createdTime"),
      ]),
    .group("protocol", [.int32("minReaderVersion"), .int32("minWriterVersion")]),
  ]

  struct Case: CustomStringConvertible, Sendable {
    let shape: Shape
    let byteArrays: ByteArrayEncoding
    let pageByteLimit: Int
    let rowCounts: [Int]
    let file: String

    var description: String { "\(shape), \(byteArrays), pages of \(pageByteLimit), \(rowCounts)" }
  }

  static let cases: [Case] = shapes.enumerated().flatMap { index, shape in
    [ByteArrayEncoding.dictionary, .dictionary(byteLimit: 60), .deltaLength].enumerated().flatMap {
      form, byteArrays in
      [(1 << 20, [0]), (1 << 20, [1, 700]), (60, [500, 3])].map { limit, rowCounts in
        Case(
          shape: shape, byteArrays: byteArrays, pageByteLimit: limit, rowCounts: rowCounts,
          file: "nested-\(index)-\(form)-\(limit)-\(rowCounts[0]).parquet")
      }
    }
  }

  static let verdicts = Result {
    let folder = try TemporaryFolder()
    return try Verdicts(of: cases.map { try write($0, into: folder.url) }, in: folder.url)
  }

  @Test(arguments: cases)
  func `other readers find the same nesting`(_ one: Case) throws {
    #expect(try Self.verdicts.get()[one.file] == [])
  }

  private static func write(_ one: Case, into folder: URL) throws -> Expectation {
    let shredder = try Shredder(one.shape.fields, byteArrays: one.byteArrays)
    var values = one.shape.fields.map { _ in [Tree]() }
    var random = SplitMix(seed: 7)
    let options = WriterOptions(pageByteLimit: one.pageByteLimit)
    let file = try written(shredder.schema, options) { writer in
      for rowCount in one.rowCounts {
        for _ in 0..<rowCount {
          let row = one.shape.fields.map { $0.randomTree(&random) }
          shredder.append(row)
          for (index, value) in row.enumerated() { values[index].append(value) }
        }
        try writer.writeRowGroup(shredder.columns)
      }
    }
    try Data(file).write(to: folder.appending(path: one.file))
    return Expectation(
      file: one.file,
      columns: zip(one.shape.fields, values).map { .init(name: $0.name, values: $1) })
  }
}
