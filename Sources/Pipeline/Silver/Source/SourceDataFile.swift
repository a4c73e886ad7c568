internal import DeltaLake
internal import Glibc
internal import Parquet

/// An open data file of Bronze.
///
/// Columns are found by name.
final class SourceDataFile {
  let file: SourceFile
  let reader: FileReader
  private let path: String

  /// - Throws: BRONZE_FILE_MISSING, `ParquetError`.
  init(_ file: SourceFile, of table: DeltaTable) throws {
    self.file = file
    path = "\(table.path)/\(file.add.filePath)"
    do {
      reader = try table.openFile(file.add)
    } catch let error as ParquetError where error.systemError == ENOENT {
      throw BronzeError.fileMissing(table.path, file, error.message)
    }
  }

  /// The values of a column that is not nested; nil when the file lacks it.
  ///
  /// - Throws: as `FileReader.values(of:rowGroup:place:)`.
  func column(_ field: StructField, rowGroup: Int) throws -> ColumnValues? {
    try reader.values(of: field, rowGroup: rowGroup, place: place(rowGroup))
  }

  /// A row group for an error message; rows are counted from 0.
  func place(_ rowGroup: Int, row: Int? = nil) -> String {
    "\(path), row group \(rowGroup)" + (row.map { ", row \($0)" } ?? "")
  }
}
