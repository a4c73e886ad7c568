import Testing

@testable import Parquet

/// Rows that go from a file that was read into one that is written.
@Suite("Copying columns") struct ColumnCopyTests {
  private static let fields: [SchemaNode] = [
    .string("text"), .int32("small"), .int64("large"), .double("ratio"),
    .leaf("single", .float), .boolean("flag"),
  ]
  private static let rowCount = 300

  /// Row 5 and every third one are null in every column when `hasNulls`.
  private static func isNull(_ row: Int, _ hasNulls: Bool) -> Bool {
    hasNulls && (row.isMultiple(of: 3) || row == 5)
  }

  private static func buffers(_ encoding: ByteArrayEncoding = .dictionary) throws -> [ColumnBuffer]
  {
    let leaves = try ParquetSchema(fields).leaves
    return [
      ByteArrayColumn(leaves[0], encoding: encoding), Int32Column(leaves[1]),
      Int64Column(leaves[2]), DoubleColumn(leaves[3]), FloatColumn(leaves[4]),
      BooleanColumn(leaves[5]),
    ]
  }

  private static func append(_ row: Int, to buffers: [ColumnBuffer]) {
    for buffer in buffers {
      switch buffer {
      case let column as ByteArrayColumn: column.append(row % 7 == 0 ? "" : "t\(row % 40)")
      case let column as Int32Column: column.append(Int32(row) - 150)
      case let column as Int64Column: column.append(Int64(row) << 33)
      case let column as DoubleColumn: column.append(Double(row) / 4)
      case let column as FloatColumn: column.append(Float(row) / 2)
      case let column as BooleanColumn: column.append(row % 5 < 2)
      default: buffer.appendNull()
      }
    }
  }

  /// A file of one row group.
  private static func reader(
    _ buffers: [ColumnBuffer]
  ) throws -> FileReader {
    var bytes: [UInt8] = []
    let writer = try FileWriter(schema: try ParquetSchema(fields), options: WriterOptions()) {
      bytes += $0
    }
    try writer.writeRowGroup(buffers)
    _ = try writer.finish()
    return try FileReader(bytes: bytes, name: "rows")
  }

  private static func rows(
    where isWanted: (Int) -> Bool, hasNulls: Bool, _ encoding: ByteArrayEncoding = .dictionary
  ) throws -> [ColumnBuffer] {
    let buffers = try buffers(encoding)
    for row in (0..<rowCount).filter(isWanted) {
      if isNull(row, hasNulls) {
        for buffer in buffers { buffer.appendNull() }
      } else {
        append(row, to: buffers)
      }
    }
    return buffers
  }

  private static func texts(_ reader: FileReader) throws -> [[String]] {
    guard reader.rowGroupCount > 0 else { return [] }
    return try fields.indices.map { leaf in
      let column = try reader.readColumn(rowGroup: 0, leaf: leaf)
      return column.entries { index in
        switch column.values {
        case .boolean(let values): "\(values[index])"
        case .int32(let values): "\(values[index])"
        case .int64(let values), .timestampFromInt96(let values): "\(values[index])"
        case .float(let values): "\(values[index])"
        case .double(let values): "\(values[index])"
        case .byteArray(let values), .fixed(let values): "'\(values.string(index))'"
        }
      }.map { $0 ?? "null" }
    }
  }

  private static func select(_ isWanted: (Int) -> Bool) -> [Bool] { (0..<rowCount).map(isWanted) }

  private static func copy(
    _ source: FileReader, _ mask: [Bool], to target: [ColumnBuffer]
  ) throws {
    for (leaf, buffer) in target.enumerated() {
      let column = try source.readColumn(rowGroup: 0, leaf: leaf)
      try mask.withUnsafeBufferPointer { mask in
        try buffer.append(column, where: RowSelection(mask))
      }
    }
  }

  @Test(arguments: [false, true], [1, 2, 299, 1000])
  func `the chosen rows of every type arrive, nulls too, twice over`(
    hasNulls: Bool, step: Int
  ) throws {
    for encoding in [ByteArrayEncoding.dictionary, .plain, .dictionary(byteLimit: 60)] {
      let source = try Self.reader(
        try Self.rows(where: { _ in true }, hasNulls: hasNulls, encoding))
      for targetEncoding in [
        ByteArrayEncoding.dictionary, .deltaLength, .dictionary(byteLimit: 60),
      ] {
        let isWanted = { (row: Int) in row % step == step - 1 }
        let target = try Self.buffers(targetEncoding)
        for _ in 0..<2 { try Self.copy(source, Self.select(isWanted), to: target) }
        let once = try Self.texts(Self.reader(Self.rows(where: isWanted, hasNulls: hasNulls)))
        #expect(try Self.texts(Self.reader(target)) == once.map { $0 + $0 })
      }
    }
  }

  @Test func `rows without a value can stand between copied ones`() throws {
    let source = try Self.reader(try Self.rows(where: { _ in true }, hasNulls: false))
    let target = try Self.buffers()
    try Self.copy(source, Self.select { $0 == 3 }, to: target)
    for buffer in target { buffer.appendNulls(2) }
    try Self.copy(source, Self.select { $0 == 4 }, to: target)
    let found = try Self.texts(Self.reader(target))
    #expect(found[0] == ["'t3'", "null", "null", "'t4'"])
    #expect(found[5] == ["false", "null", "null", "false"])
    #expect(found.allSatisfy { $0.count == 4 && $0[1] == "null" && $0[2] == "null" })
  }

  @Test func `a column of another type is refused and the buffer stays as it was`() throws {
    let source = try Self.reader(try Self.rows(where: { _ in true }, hasNulls: false))
    let text = try source.readColumn(rowGroup: 0, leaf: 0)
    let mask = Self.select { _ in true }
    for buffer in try Self.buffers().dropFirst() {
      let error = #expect(throws: ParquetError.self) {
        try mask.withUnsafeBufferPointer { mask throws(ParquetError) in
          try buffer.append(text, where: RowSelection(mask))
        }
      }
      #expect(error?.code == .unsupported)
      #expect(error?.message.contains(buffer.leaf.name) == true)
      #expect(buffer.rowCount == 0)
    }
  }

  @Test func `strings of a dictionary are stored once and told by their numbers`() throws {
    let source = try Self.reader(try Self.rows(where: { _ in true }, hasNulls: true))
    guard case .byteArray(let values) = try source.readColumn(rowGroup: 0, leaf: 0).values else {
      Issue.record("texts are byte arrays")
      return
    }
    #expect(values.storedCount <= 41)
    values.withStored { stored in
      #expect(stored.indices.count == values.count)
      for value in 0..<values.count {
        #expect(stored[Int(stored.indices[value])].elementsEqual(values[value]))
      }
    }
  }
}
