import Clickstream
import DeltaLake
import DurableIO
import Parquet
import Testing

@testable import Pipeline

/// Files of our own, in row groups of many sizes.
@Suite struct BronzeSliceTests {
  /// One row by its number: texts repeat, ids do not, and every nullable column has nulls.
  private struct Row {
    let number: Int

    var customer: String? {
      number.isMultiple(of: 3) ? nil : number.isMultiple(of: 7) ? "" : "c\(number % 11)"
    }
    var session: String { "s\(number / 5)" }
    var type: String { ["page_view", "search", "purchase", "else"][number % 4] }
    var eventID: String { String(repeating: "x", count: number % 5) + "\(number)" }
    var product: String? { number.isMultiple(of: 2) ? nil : "p\(number % 13)" }
    var page: String { "/\(number % 23)" }
    var time: Int64 { Int64(number - 50) * 1_000_003 }

    var columns: String {
      func quoted(_ text: String?) -> String { text.map { "'\($0)'" } ?? "null" }
      let texts = [eventID, customer, product, type, session, page].map(quoted)
      return (texts + ["\(time)", "'t'", "\(number % 3)", "\(number)", "\(time + 5)", "77"])
        .joined(separator: "|")
    }

    var line: String {
      let kinds: [String: EventKind] = [
        "page_view": .pageView, "search": .search, "purchase": .purchase,
      ]
      return "\(customer ?? session)|\(customer != nil)|\(kinds[type] ?? .other)|\(time)"
        + "|77|\(number % 3)|\(number)|\(columns)"
    }

    func append(to buffers: [ColumnBuffer]) {
      let texts = [eventID, customer, product, type, session, page, "t", nil]
      let numbers = [time, Int64(number), time + 5, 77]
      var (nextText, nextNumber) = (texts.makeIterator(), numbers.makeIterator())
      for buffer in buffers {
        switch buffer {
        case let column as ByteArrayColumn:
          if let text = nextText.next() ?? nil { column.append(text) } else { column.appendNull() }
        case let column as Int32Column: column.append(Int32(number % 3))
        case let column as Int64Column: column.append(nextNumber.next() ?? 0)
        default: buffer.appendNull()
        }
      }
    }
  }

  /// A table of one commit whose files have these row groups.
  private static func table(_ files: [[Int]]) throws -> BronzeSourceLog {
    let log = try BronzeSourceLog()
    let schema = BronzeSchema.raw
    var number = 0
    var lines: [String] = []
    for groups in files {
      let writer = DataFileWriter(
        DataFileWriter.Target(
          tablePath: log.path, schema: schema, options: WriterOptions(), fileBytes: 1 << 30),
        publisher: Publisher(lock: nil), role: .tableData, namePrefix: "bronze")
      for count in groups {
        let buffers = try zip(schema.parquetSchema().leaves, schema.fields).map(buffer)
        for _ in 0..<count {
          Row(number: number).append(to: buffers)
          number += 1
        }
        try writer.writeRowGroup(buffers)
      }
      lines += try writer.finish().map { Action.add($0).line }
    }
    try log.write(1, lines)
    return log
  }

  private static func buffer(_ leaf: LeafColumn, _ field: StructField) -> ColumnBuffer {
    switch field.type {
    case .string:
      ByteArrayColumn(leaf, encoding: field.name == "event_id" ? .deltaLength : .dictionary)
    case .integer: Int32Column(leaf)
    default: Int64Column(leaf)
    }
  }

  private static let groups = [[40, 1, 30], [25], [100, 4]]

  @Test(arguments: [
    (1, [40, 1, 30, 25, 100, 4]), (41, [41, 30, 25, 100, 4]), (60, [41, 55, 100, 4]),
    (1000, [200]),
  ])
  func `row groups become slices of whole ones, within the limit where they can`(
    maxRows: Int, sizes: [Int]
  ) throws {
    let log = try Self.table(Self.groups)
    let found = try BronzeSourceRows.of(log, maxRows: maxRows)
    #expect(found.sliceSizes == sizes)
    #expect(found.lines == (0..<200).map { Row(number: $0).line })
    #expect(found.arrivals.count == 200)
    #expect(found.arrivals.earliest == Row(number: 0).time + 5)
    let sum = (0..<200).reduce(Int128(0)) { $0 + Int128(Row(number: $1).time + 5) }
    #expect(found.arrivals.sum == sum)
  }

  @Test(arguments: [0, 1, 32, 128, 200, 254, 255, 256])
  func `only the chosen rows are copied, whichever they are`(threshold: Int) throws {
    let log = try Self.table(Self.groups)
    let mask = (0..<200).map { ($0 * 197 + $0 * $0 * 31) & 0xFF < threshold }
    let slice = try #require(try Self.slice(of: log))
    #expect(
      try BronzeSourceRows.copy(slice) { mask[$0] }
        == (0..<200).filter { mask[$0] }.map { Row(number: $0).columns })
  }

  @Test func `a column is copied again after its keys were read, and without that`() throws {
    let log = try Self.table([[50]])
    let slice = try #require(try Self.slice(of: log))
    let before = try BronzeSourceRows.copy(slice) { _ in true }
    let rows = EventRows(visitors: VisitorTable())
    var statistics = ArrivalStatistics()
    for _ in 0..<2 { try slice.readKeys(into: rows, statistics: &statistics) }
    #expect(rows.count == 50, "reading the keys again replaces them")
    #expect(try BronzeSourceRows.copy(slice) { _ in true } == before)
  }

  @Test func `event ids of rows here and there`() throws {
    let log = try Self.table(Self.groups)
    let slice = try #require(try Self.slice(of: log))
    let wanted: [Int32] = [0, 5, 39, 40, 41, 70, 199]
    let ids = try slice.eventIDs(of: wanted)
    #expect(ids.count == wanted.count)
    for (place, row) in wanted.enumerated() {
      #expect(String(decoding: ids[place], as: UTF8.self) == Row(number: Int(row)).eventID)
    }
    #expect(try slice.eventIDs(of: []).count == 0)
  }

  @Test func `parts cover the rows of the slice`() throws {
    let slice = try #require(try Self.slice(of: try Self.table(Self.groups)))
    #expect(slice.partCount == 6)
    #expect(
      (0..<6).map { slice.rows(ofPart: $0) }
        == [0..<40, 40..<41, 41..<71, 71..<96, 96..<196, 196..<200])
  }

  private static func slice(of log: BronzeSourceLog) throws -> BronzeSlice? {
    let source = try log.source()
    let files = try source.files(from: log.offset(0), to: source.endOffset())
    return try source.slices(of: files, maxRows: 1000).next()
  }
}
