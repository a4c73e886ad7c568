import Clickstream
import DeltaLake
import Parquet
import Testing

@testable import Pipeline

/// The rows that a source gives, as lines of text: first the keys, then the copied columns.
struct BronzeSourceRows {
  var lines: [String] = []
  var sliceSizes: [Int] = []
  var arrivals = ArrivalStatistics()

  /// All columns but the last, as `silver.clickstream_events` has them.
  static let schema = StructType(Array(BronzeSchema.raw.fields.dropLast()))

  static func of(_ log: BronzeSourceLog, maxRows: Int = 1000) throws -> BronzeSourceRows {
    let source = try log.source()
    let plan = try source.plan(
      from: source.startingOffset(), upTo: source.endOffset(), maxRows: .max, maxBytes: .max)
    return try BronzeSourceRows(source, try #require(plan).files, maxRows: maxRows)
  }

  init(_ source: BronzeSource, _ files: [SourceFile], maxRows: Int) throws {
    let rows = EventRows(visitors: VisitorTable())
    let slices = source.slices(of: files, maxRows: maxRows)
    while let slice = try slices.next() {
      try slice.readKeys(into: rows, statistics: &arrivals)
      #expect(rows.count == slice.rowCount)
      sliceSizes.append(slice.rowCount)
      let copied = try Self.copy(slice) { _ in true }
      lines += (0..<slice.rowCount).map { "\(Self.keys(rows, $0))|\(copied[$0])" }
    }
  }

  /// Who, whether a customer, what, when, and from where.
  private static func keys(_ rows: EventRows, _ row: Int) -> String {
    let visitor = rows.visitors.withBytes(of: rows.visitor(row)) {
      String(decoding: $0, as: UTF8.self)
    }
    let position = rows.position(row)
    return "\(visitor)|\(rows.isIdentified(row))|\(rows.kind(row))|\(rows.time(row))"
      + "|\(position.ingestedAt)|\(position.partition)|\(position.offset)"
  }

  /// The chosen rows of all parts, written to a file and read again.
  static func copy(_ slice: BronzeSlice, where isChosen: (Int) -> Bool) throws -> [String] {
    let buffers = try zip(schema.parquetSchema().leaves, schema.fields).map(buffer)
    let mask = (0..<slice.rowCount).map(isChosen)
    for part in 0..<slice.partCount {
      try slice.copyColumns(ofPart: part, where: mask, into: buffers, schema: schema)
    }
    return try read(buffers)
  }

  private static func buffer(_ leaf: LeafColumn, _ field: StructField) -> ColumnBuffer {
    switch field.type {
    case .string:
      // A dictionary that is full after a few texts, and none at all, are ways of their own.
      ByteArrayColumn(
        leaf, encoding: field.name == "event_id" ? .deltaLength : .dictionary(byteLimit: 40))
    case .integer: Int32Column(leaf)
    default: Int64Column(leaf)
    }
  }

  private static func read(_ buffers: [ColumnBuffer]) throws -> [String] {
    var bytes: [UInt8] = []
    let writer = try FileWriter(schema: schema.parquetSchema(), options: WriterOptions()) {
      bytes += $0
    }
    try writer.writeRowGroup(buffers)
    _ = try writer.finish()
    let reader = try FileReader(bytes: bytes, name: "copied")
    guard reader.rowGroupCount > 0 else { return [] }
    let columns = try schema.fields.indices.map { leaf in
      try texts(reader.readColumn(rowGroup: 0, leaf: leaf))
    }
    return (0..<reader.rowCount(ofRowGroup: 0)).map { row in
      columns.map { $0[row] }.joined(separator: "|")
    }
  }

  private static func texts(_ column: ColumnValues) -> [String] {
    column.entries { index -> String in
      switch column.values {
      case .byteArray(let values): "'\(values.string(index))'"
      case .int32(let values): String(values[index])
      case .int64(let values): String(values[index])
      default: "another type"
      }
    }.map { $0 ?? "null" }
  }
}
