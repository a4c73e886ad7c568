internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import JSON
internal import Parquet

/// One data file, held to what the log says of it: size, pages, statistics, origin of the rows.
///
/// Memory: one column chunk at a time, and the coordinates of one row group.
struct DataFileAudit {
  let path: String
  private(set) var findings: [Finding] = []
  private(set) var rows = FileRows()
  /// Whether `rows` says something of all rows.
  private(set) var isRead = false
  private var columns: [ColumnSummary?] = []

  /// Reads the whole file; what cannot be read is a finding.
  init(_ file: AddFile, of table: DeltaTable) {
    path = "\(table.path)/\(file.filePath)"
    do {
      guard try hasStatedSize(file) else { return }
      try read(try table.openFile(file), schema: table.snapshot.schema)
      isRead = true
      checkLogStatistics(file)
    } catch let error as ParquetError {
      let error = ParquetError(error.code, error.message, byteOffset: error.byteOffset)
      find("FILE_UNREADABLE", path, expected: "a readable data file", found: "\(error)")
    } catch {
      find("FILE_UNREADABLE", path, expected: "a readable data file", found: "\(error)")
    }
  }

  /// Hands out the offsets of all rows, once; an offset that is in two of them is a finding.
  mutating func takeOffsets() -> [Int32: OffsetRuns] {
    var repeated: [(Int32, Int64)] = []
    let offsets = rows.takeOffsets { repeated.append(($0, $1)) }
    for (partition, offset) in repeated {
      find(
        "DUPLICATE_OFFSET", path, expected: "partition \(partition), offset \(offset) in one row",
        found: "two rows of this file")
    }
    return offsets
  }

  private mutating func hasStatedSize(_ file: AddFile) throws -> Bool {
    guard let status = try Files.status(path) else {
      find("FILE_MISSING", path, expected: "\(file.size) bytes", found: "no such file")
      return false
    }
    guard status.size == file.size else {
      find("FILE_SIZE", path, expected: "\(file.size) bytes", found: "\(status.size) bytes")
      return false
    }
    return true
  }

  // MARK: Columns

  private mutating func read(_ reader: FileReader, schema: StructType) throws {
    columns = reader.schema.leaves.map { leaf in
      guard leaf.path.count == 1, let field = schema.field(named: leaf.path[0]) else { return nil }
      return ColumnSummary(name: field.name, type: field.type, physicalType: leaf.physicalType)
    }
    for group in 0..<reader.rowGroupCount {
      var coordinates = Coordinates()
      for leaf in reader.schema.leaves.indices {
        let values = try reader.readColumn(rowGroup: group, leaf: leaf)
        let checked = reader.checkStatistics(of: values, rowGroup: group, leaf: leaf)
        for mismatch in checked.mismatches {
          find(
            "FOOTER_STATISTICS",
            "\(path), row group \(group), \(mismatch.column).\(mismatch.field.rawValue)",
            expected: mismatch.found, found: mismatch.expected)
        }
        columns[leaf]?.note(checked)
        coordinates.take(values, of: reader.schema.leaves[leaf])
      }
      rows.rowCount += Int64(reader.rowCount(ofRowGroup: group))
      noteOrigins(coordinates, rowCount: reader.rowCount(ofRowGroup: group), rowGroup: group)
    }
    if case .integer(let low) = summary("ingested_at")?.low,
      case .integer(let high) = summary("ingested_at")?.high
    {
      rows.ingestedAt = low...high
    }
  }

  private func summary(_ name: String) -> ColumnSummary? {
    columns.lazy.compactMap { $0 }.first { $0.name == name }
  }

  // MARK: Origins

  /// The columns of one row group that say where its rows came from.
  private struct Coordinates {
    var partitions: [Int32] = []
    var offsets: [Int64] = []
    /// Rows that stand for a range that was lost, and for no record.
    var lost: Set<Int> = []

    mutating func take(_ values: ColumnValues, of leaf: LeafColumn) {
      switch (leaf.path, values.values) {
      case (["kafka_partition"], .int32(let numbers)): partitions = numbers
      case (["kafka_offset"], .int64(let numbers)): offsets = numbers
      case (["failure_reason"], .byteArray(let reasons)):
        let name = DeadLetterReason.dataLoss.rawValue
        for (row, index) in values.entries({ $0 }).enumerated() {
          if let index, reasons.string(index) == name { lost.insert(row) }
        }
      default: break
      }
    }
  }

  private mutating func noteOrigins(
    _ coordinates: Coordinates, rowCount: Int, rowGroup: Int
  ) {
    let (partitions, offsets) = (coordinates.partitions, coordinates.offsets)
    guard partitions.count == rowCount, offsets.count == rowCount,
      !offsets.contains(where: { $0 < 0 || $0 == .max })
    else {
      return find(
        "ROW_WITHOUT_ORIGIN", "\(path), row group \(rowGroup)",
        expected: "kafka_partition and kafka_offset in each of \(rowCount) rows",
        found: "\(partitions.count) partitions and \(offsets.count) offsets, or impossible ones")
    }
    var row = 0
    while row < rowCount {
      let first = row
      let isRecord = !coordinates.lost.contains(first)
      row += 1
      while isRecord, row < rowCount, partitions[row] == partitions[first],
        offsets[row] == offsets[row - 1] + 1, !coordinates.lost.contains(row)
      { row += 1 }
      rows.note(
        partitions[first], offsets[first]..<(offsets[row - 1] + 1), isRecord: isRecord)
    }
  }

  // MARK: Delta statistics

  private mutating func checkLogStatistics(_ file: AddFile) {
    guard let text = file.stats else { return }
    guard let stated = (try? JSONValue.parse(text))?.objectValue else {
      return find("LOG_STATISTICS", path, expected: "stats as a JSON object", found: "other text")
    }
    let lies = LogStatistics(stated).lies(
      about: columns.compactMap { $0 }, rowCount: rows.rowCount)
    for lie in lies {
      find("LOG_STATISTICS", "\(path), \(lie.field)", expected: lie.expected, found: lie.found)
    }
  }

  private mutating func find(
    _ code: String, _ place: String, expected: String, found: String
  ) {
    findings.append(Finding(code, place, expected: expected, found: found))
  }
}
