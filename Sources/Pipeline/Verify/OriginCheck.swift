internal import Clickstream
internal import DeltaLake
internal import Parquet

/// The rows of a file of Bronze: which record each of them is.
struct OriginCheck: RowCheck {
  private let path: String
  private(set) var rows: FileRows
  private var coordinates = Coordinates()

  /// - Parameter starts: where the totals of each partition begin.
  init(path: String, starts: [Int32: Int64]) {
    self.path = path
    rows = FileRows(starts: starts)
  }

  /// The columns of one row group that say where its rows came from.
  private struct Coordinates {
    var partitions: [Int32] = []
    var offsets: [Int64] = []
    /// Rows that stand for a range that was lost, and for no record.
    var lost: Set<Int> = []
  }

  mutating func take(_ values: ColumnValues, of leaf: LeafColumn) {
    switch (leaf.path, values.values) {
    case (["kafka_partition"], .int32(let numbers)): coordinates.partitions = numbers
    case (["kafka_offset"], .int64(let numbers)): coordinates.offsets = numbers
    case (["failure_reason"], .byteArray(let reasons)):
      let name = DeadLetterReason.dataLoss.rawValue
      for (row, index) in values.entries({ $0 }).enumerated() {
        if let index, reasons.string(index) == name { coordinates.lost.insert(row) }
      }
    default: break
    }
  }

  mutating func finishRowGroup(_ rowGroup: Int, rowCount: Int) -> [Finding] {
    defer { coordinates = Coordinates() }
    rows.rowCount += Int64(rowCount)
    let (partitions, offsets) = (coordinates.partitions, coordinates.offsets)
    guard partitions.count == rowCount, offsets.count == rowCount,
      !offsets.contains(where: { $0 < 0 || $0 == .max })
    else {
      return [
        Finding(
          "ROW_WITHOUT_ORIGIN", "\(path), row group \(rowGroup)",
          expected: "kafka_partition and kafka_offset in each of \(rowCount) rows",
          found: "\(partitions.count) partitions and \(offsets.count) offsets, or impossible ones")
      ]
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
    return []
  }

  /// Hands out the offsets of all rows, once.
  ///
  /// - Parameter firstRepeated: told of an offset that is in two of them.
  mutating func takeOffsets(firstRepeated: (Int32, Int64) -> Void) -> [Int32: OffsetRuns] {
    rows.takeOffsets(firstRepeated: firstRepeated)
  }
}
