internal import DeltaLake
internal import Parquet

extension BronzeSource {
  /// Whole row groups of the files in their order, together at most `maxRows` in a slice; a larger
  /// row group is a slice of its own.
  func slices(of files: [SourceFile], maxRows: Int) -> BronzeSlices {
    guard let table else { preconditionFailure("files come from a table that is open") }
    return BronzeSlices(files, of: table, maxRows: maxRows)
  }
}

/// The files of a batch, cut into pieces that fit into memory.
final class BronzeSlices {
  /// What the values of a slice may take in memory as the file's encodings have them, long texts
  /// included; ours takes a fifth of it for a million rows.
  private static let maxBytes: Int64 = 256 << 20

  private let table: DeltaTable
  private let maxRows: Int
  private var files: ArraySlice<SourceFile>
  private var open: SourceDataFile?
  private var nextRowGroup = 0

  init(_ files: [SourceFile], of table: DeltaTable, maxRows: Int) {
    precondition(maxRows > 0, "a slice must be allowed to hold something")
    self.table = table
    self.maxRows = maxRows
    self.files = files[...]
  }

  /// - Returns: nil after the last row.
  /// - Throws: BRONZE_FILE_MISSING, `ParquetError`.
  func next() throws -> BronzeSlice? {
    var parts: [BronzeSlice.Part] = []
    var rowCount = 0
    var byteCount: Int64 = 0
    while let file = try currentFile() {
      let group = file.reader.metadata.rowGroups[nextRowGroup]
      let rows = file.reader.rowCount(ofRowGroup: nextRowGroup)
      let bytes = byteCount.addingReportingOverflow(max(0, group.totalByteSize))
      guard
        parts.isEmpty
          || rows <= maxRows - rowCount && !bytes.overflow && bytes.partialValue <= Self.maxBytes
      else { break }
      if rows > 0 {
        parts.append(.init(file, rowGroup: nextRowGroup, rows: rowCount..<rowCount + rows))
      }
      rowCount += rows
      byteCount = bytes.overflow ? .max : bytes.partialValue
      nextRowGroup += 1
    }
    return parts.isEmpty ? nil : BronzeSlice(parts, schema: table.snapshot.schema)
  }

  /// The file that has the next row group.
  private func currentFile() throws -> SourceDataFile? {
    while true {
      if let open, nextRowGroup < open.reader.rowGroupCount { return open }
      open = nil
      nextRowGroup = 0
      guard let file = files.popFirst() else { return nil }
      open = try SourceDataFile(file, of: table)
    }
  }
}
