internal import DeltaLake
internal import DurableIO
internal import JSON
internal import Parquet

/// What one kind of table asks of its rows, beyond what is asked of every data file.
protocol RowCheck {
  /// Gets every column of a row group, one after the other.
  mutating func take(_ values: ColumnValues, of leaf: LeafColumn)
  /// All columns of the row group were taken.
  mutating func finishRowGroup(_ rowGroup: Int, rowCount: Int) -> [Finding]
}

/// One data file, held to what the log says of it: size, pages, statistics, and what the kind of
/// its table asks of the rows.
///
/// Memory: one column chunk at a time, and what the check keeps of a row group.
struct DataFileAudit {
  let path: String
  private(set) var findings: [Finding] = []
  private(set) var rowCount: Int64 = 0
  /// Whether all rows were read.
  private(set) var isRead = false
  private var columns: [ColumnSummary?] = []

  /// Reads the whole file; what cannot be read is a finding.
  init(_ file: AddFile, of table: DeltaTable, _ check: inout some RowCheck) {
    path = "\(table.path)/\(file.filePath)"
    do {
      guard try hasStatedSize(file) else { return }
      try read(try table.openFile(file), schema: table.snapshot.schema, &check)
      isRead = true
      checkLogStatistics(file)
    } catch let error as ParquetError {
      let error = ParquetError(error.code, error.message, byteOffset: error.byteOffset)
      find("FILE_UNREADABLE", path, expected: "a readable data file", found: "\(error)")
    } catch {
      find("FILE_UNREADABLE", path, expected: "a readable data file", found: "\(error)")
    }
  }

  /// Least and greatest value of a column of integers or times; `nil` without values.
  func integers(of column: String) -> ClosedRange<Int64>? {
    let summary = columns.lazy.compactMap { $0 }.first { $0.name == column }
    guard case .integer(let low) = summary?.low, case .integer(let high) = summary?.high else {
      return nil
    }
    return low...high
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

  private mutating func read(
    _ reader: FileReader, schema: StructType, _ check: inout some RowCheck
  ) throws {
    columns = reader.schema.leaves.map { leaf in
      guard leaf.path.count == 1, let field = schema.field(named: leaf.path[0]) else { return nil }
      return ColumnSummary(name: field.name, type: field.type, leaf)
    }
    for group in 0..<reader.rowGroupCount {
      for leaf in reader.schema.leaves.indices {
        let values = try reader.readColumn(rowGroup: group, leaf: leaf)
        let checked = reader.checkStatistics(of: values, rowGroup: group, leaf: leaf)
        for mismatch in checked.mismatches {
          find(
            "FOOTER_STATISTICS",
            "\(path), row group \(group), \(mismatch.column).\(mismatch.field.rawValue)",
            expected: mismatch.found, found: mismatch.expected)
        }
        columns[leaf]?.note(checked, valueCount: values.values.count)
        check.take(values, of: reader.schema.leaves[leaf])
      }
      let count = reader.rowCount(ofRowGroup: group)
      rowCount += Int64(count)
      findings += check.finishRowGroup(group, rowCount: count)
    }
  }

  // MARK: Delta statistics

  private mutating func checkLogStatistics(_ file: AddFile) {
    guard let text = file.stats else { return }
    guard let stated = (try? JSONValue.parse(text))?.objectValue else {
      return find("LOG_STATISTICS", path, expected: "stats as a JSON object", found: "other text")
    }
    let lies = LogStatistics(stated).lies(
      about: columns.compactMap { $0 }, rowCount: rowCount)
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
