internal import DeltaLake
internal import Glibc
internal import Parquet

/// An open data file of Bronze.
///
/// Columns are found by name, and timestamps come as microseconds, whichever program wrote the file
/// and in whichever of Parquet's forms.
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
  /// - Throws: BRONZE_ROW when it holds another type than the table says or a time that is none;
  ///   `ParquetError`.
  func column(_ field: StructField, rowGroup: Int) throws -> ColumnValues? {
    guard let leaf = reader.leaf(ofColumn: field.name) else { return nil }
    let column = reader.schema.leaves[leaf]
    guard let form = Form(column, field.type) else {
      throw BronzeError.row(
        path,
        "column \(field.name): expected \(field.type), found \(column.physicalType) as "
          + "\(column.logicalType)")
    }
    var values = try reader.readColumn(rowGroup: rowGroup, leaf: leaf)
    if form != .asStored, !values.convertTimestamps(form) {
      throw BronzeError.row(
        place(rowGroup), "column \(field.name) has a time outside the years 1 to 9999")
    }
    return values
  }

  /// A row group for an error message; rows are counted from 0.
  func place(_ rowGroup: Int, row: Int? = nil) -> String {
    "\(path), row group \(rowGroup)" + (row.map { ", row \($0)" } ?? "")
  }

  /// How a type of the table stands in a file.
  fileprivate enum Form {
    case asStored
    case milliseconds
    case nanoseconds

    init?(_ leaf: LeafColumn, _ type: DataType) {
      switch (type, leaf.physicalType, leaf.logicalType) {
      case (.string, .byteArray, _), (.binary, .byteArray, _), (.integer, .int32, _),
        (.long, .int64, .none), (.long, .int64, .integer), (.double, .double, _),
        (.boolean, .boolean, _), (.timestamp, .int96, _), (.timestamp, .int64, .timestampMicros):
        self = .asStored
      case (.timestamp, .int64, .timestampMillis): self = .milliseconds
      case (.timestamp, .int64, .timestampNanos): self = .nanoseconds
      default: return nil
      }
    }
  }
}

extension ColumnValues {
  /// False when a value has no place among 64-bit microseconds.
  fileprivate mutating func convertTimestamps(_ form: SourceDataFile.Form) -> Bool {
    guard case .int64(var times) = values else { return true }
    var isPossible = true
    for index in times.indices {
      if form == .milliseconds {
        let (microseconds, overflow) = times[index].multipliedReportingOverflow(by: 1000)
        isPossible = isPossible && !overflow
        times[index] = microseconds
      } else {
        times[index] = times[index].dividedDown(by: 1000)
      }
    }
    values = .int64(times)
    return isPossible
  }
}
