internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import JSON
internal import Parquet

/// Reads every row of one table and holds the files to what the log says of them.
struct TableScan {
  let table: DeltaTable
  /// Rows that stand for records, by partition; `data_loss` rows stand for none.
  private(set) var offsets: [Int32: OffsetIntervals] = [:]
  private(set) var rows: Int64 = 0
  private(set) var files = 0
  private(set) var findings: [Finding] = []

  init(_ table: DeltaTable) throws {
    self.table = table
    for file in try table.liveFiles() {
      files += 1
      do {
        try scan(file)
      } catch {
        findings.append(
          Finding(
            "FILE_UNREADABLE", "\(table.path)/\(file.path)", expected: "a readable data file",
            found: "\(error)"))
      }
    }
  }

  private mutating func scan(_ file: AddFile) throws {
    let path = "\(table.path)/\(file.filePath)"
    guard let status = try Files.status(path) else {
      return report("FILE_MISSING", path, expected: "\(file.size) bytes", found: "no such file")
    }
    guard status.size == file.size else {
      return report(
        "FILE_SIZE", path, expected: "\(file.size) bytes", found: "\(status.size) bytes")
    }
    let reader = try table.openFile(file)
    for mismatch in try reader.verifyStatistics() {
      report(
        "STATISTICS", "\(path), row group \(mismatch.rowGroup), \(mismatch.column)",
        expected: mismatch.expected, found: mismatch.found)
    }
    let seen = try readCoordinates(reader)
    rows += seen.rows
    checkLogStatistics(file, path, seen)
  }

  /// What the rows of one file say of their origin.
  private struct Coordinates {
    var rows: Int64 = 0
    var partitions: ClosedRange<Int64>?
    var offsets: ClosedRange<Int64>?

    mutating func note(_ partition: Int32, _ offset: Int64) {
      let (partition, offset) = (Int64(partition), offset)
      partitions = Self.widen(partitions, partition)
      offsets = Self.widen(offsets, offset)
    }

    private static func widen(
      _ range: ClosedRange<Int64>?, _ value: Int64
    ) -> ClosedRange<Int64> {
      guard let range else { return value...value }
      return min(range.lowerBound, value)...max(range.upperBound, value)
    }
  }

  private mutating func readCoordinates(_ reader: FileReader) throws -> Coordinates {
    guard let partitionLeaf = reader.leaf(ofColumn: "kafka_partition"),
      let offsetLeaf = reader.leaf(ofColumn: "kafka_offset")
    else {
      throw ScanError(description: "the columns kafka_partition and kafka_offset are missing")
    }
    let reasonLeaf = reader.leaf(ofColumn: "failure_reason")
    var seen = Coordinates()
    for group in 0..<reader.rowGroupCount {
      let partitions = try reader.readColumn(rowGroup: group, leaf: partitionLeaf)
      let positions = try reader.readColumn(rowGroup: group, leaf: offsetLeaf)
      guard case .int32(let partitionValues) = partitions.values,
        case .int64(let offsetValues) = positions.values,
        partitionValues.count == offsetValues.count,
        partitionValues.count == reader.rowCount(ofRowGroup: group)
      else { throw ScanError(description: "a row has no kafka_partition or kafka_offset") }
      let lost = try reasonLeaf.map { try lostRows(reader, group, leaf: $0) } ?? []
      for row in partitionValues.indices {
        seen.rows += 1
        seen.note(partitionValues[row], offsetValues[row])
        if lost.contains(row) { continue }
        offsets[partitionValues[row], default: OffsetIntervals()].insert(offsetValues[row])
      }
    }
    return seen
  }

  private func lostRows(_ reader: FileReader, _ group: Int, leaf: Int) throws -> Set<Int> {
    let column = try reader.readColumn(rowGroup: group, leaf: leaf)
    guard case .byteArray(let reasons) = column.values else { return [] }
    let lossName = DeadLetterReason.dataLoss.rawValue
    return Set((0..<reasons.count).filter { reasons.string($0) == lossName })
  }

  /// Readers skip files by these, so they must be true.
  private mutating func checkLogStatistics(_ file: AddFile, _ path: String, _ seen: Coordinates) {
    guard let text = file.stats, let stats = (try? JSONValue.parse(text))?.objectValue else {
      return
    }
    let records = stats.int64("numRecords")
    if let records, records != seen.rows {
      report("STATISTICS", path, expected: "numRecords \(seen.rows)", found: "\(records)")
    }
    for (column, range) in [
      ("kafka_partition", seen.partitions), ("kafka_offset", seen.offsets),
    ] {
      guard let range, let low = stats.object("minValues")?.int64(column),
        let high = stats.object("maxValues")?.int64(column), low <= high
      else { continue }
      if low...high != range {
        report(
          "STATISTICS", "\(path), \(column)",
          expected: "\(range.lowerBound) to \(range.upperBound)", found: "\(low) to \(high)")
      }
    }
  }

  private mutating func report(
    _ code: String, _ place: String, expected: String, found: String
  ) {
    findings.append(Finding(code, place, expected: expected, found: found))
  }

  private struct ScanError: Error, CustomStringConvertible {
    let description: String
  }
}
