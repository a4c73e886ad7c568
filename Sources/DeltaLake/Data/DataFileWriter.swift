package import DurableIO
package import Parquet

/// Columns become one or more Parquet data files, and those become `add` actions.
///
/// Files carry their final, unique names from the start: no reader looks at them before the log
/// names them. A file that is never committed is an orphan for `sweepOrphans` or a vacuum.
package final class DataFileWriter {
  /// What the files of one table have in common.
  package struct Target {
    /// The root folder of the table.
    package var tablePath: String
    /// The columns of the table, partition columns included.
    package var schema: StructType
    package var options: WriterOptions
    /// A file that has reached this many bytes is closed at the end of its row group.
    package var fileBytes: Int

    package init(
      tablePath: String, schema: StructType, options: WriterOptions, fileBytes: Int
    ) {
      precondition(fileBytes > 0, "a data file must be allowed to hold something")
      self.tablePath = tablePath
      self.schema = schema
      self.options = options
      self.fileBytes = fileBytes
    }
  }

  private let target: Target
  private let publisher: Publisher
  private let role: FileRole
  private let namePrefix: String
  private let partition: [(column: String, value: String?)]
  private let folder: String
  private let columns: StructType
  private var open: OpenDataFile?
  private var finished: [AddFile] = []
  private var written: [String] = []

  /// - Parameters:
  ///   - namePrefix: the files are called `<namePrefix>-<uuid>.<codec>.parquet`.
  ///   - partition: the value of every partition column for all rows that this writer gets; the
  ///     files then lie in folders `column=value` and do not hold these columns.
  package init(
    _ target: Target, publisher: Publisher, role: FileRole, namePrefix: String,
    partition: [(column: String, value: String?)] = []
  ) {
    self.target = target
    self.publisher = publisher
    self.role = role
    self.namePrefix = namePrefix
    self.partition = partition
    folder = partition.map { PathEncoding.partitionFolder($0.column, $0.value) + "/" }.joined()
    columns = target.schema.without(partition.map(\.column))
  }

  /// The bytes of all files so far, footers of open files not included.
  package var byteCount: Int {
    finished.reduce(open?.byteCount ?? 0) { $0 + Int($1.size) }
  }

  /// Appends one row group and resets the buffers; without rows nothing happens.
  ///
  /// - Throws: `SystemError`, `ParquetError`; call `discard()` then.
  package func writeRowGroup(_ buffers: [ColumnBuffer]) throws {
    guard let first = buffers.first, first.rowCount > 0 else { return }
    let file = try open ?? create()
    open = file
    try file.writeRowGroup(buffers)
    if file.byteCount >= target.fileBytes { try close(file) }
  }

  /// Closes the last file; afterwards all files and their folders are durable.
  ///
  /// - Returns: one `add` for each file, in the order of the rows; none when there were no rows.
  /// - Throws: `SystemError`, `ParquetError`; call `discard()` then.
  package func finish() throws -> [AddFile] {
    if let open { try close(open) }
    if !finished.isEmpty {
      if !folder.isEmpty { try publisher.syncDirectory(directory, role: role) }
      try publisher.syncDirectory(target.tablePath, role: role)
    }
    return finished
  }

  /// Removes every file that this writer made.
  ///
  /// What cannot be removed is an orphan.
  package func discard() {
    open?.discard()
    open = nil
    for path in written { try? Files.remove(path) }
    written = []
    finished = []
  }

  private var directory: String {
    folder.isEmpty ? target.tablePath : "\(target.tablePath)/\(folder.dropLast())"
  }

  private func create() throws -> OpenDataFile {
    if !folder.isEmpty { try Files.makeDirectories(directory) }
    let name = "\(namePrefix)-\(RandomUUID.text()).\(target.options.codec.fileExtension).parquet"
    let file = try publisher.createDataFile(name, in: directory, role: role)
    written.append("\(directory)/\(name)")
    return try OpenDataFile(
      name: folder + name, file: file, schema: columns, options: target.options)
  }

  private func close(_ file: OpenDataFile) throws {
    open = nil
    var add = try file.finish(in: target.tablePath)
    for (column, value) in partition { add.partitionValues.updateValue(value, forKey: column) }
    finished.append(add)
  }
}

/// One data file that is being written.
private final class OpenDataFile {
  private let name: String
  private let file: DataFile
  private let schema: StructType
  private let writer: FileWriter
  private var rowCount: Int64 = 0

  init(name: String, file: DataFile, schema: StructType, options: WriterOptions) throws {
    self.name = name
    self.file = file
    self.schema = schema
    writer = try FileWriter(schema: schema.parquetSchema(), options: options) { bytes in
      try file.write(bytes)
    }
  }

  var byteCount: Int { file.byteCount }

  func writeRowGroup(_ buffers: [ColumnBuffer]) throws {
    rowCount += Int64(buffers.first?.rowCount ?? 0)
    try writer.writeRowGroup(buffers)
  }

  /// Closes the file and describes it.
  func finish(in table: String) throws -> AddFile {
    _ = try writer.finish()
    let size = Int64(file.byteCount)
    try file.close()
    let path = "\(table)/\(name)"
    guard let status = try Files.status(path) else {
      throw DeltaError(
        .missingDataFile, table: table, "\(name) is not there after it was written",
        hint: "Another process removes files from the table; nothing was committed.")
    }
    return AddFile(
      path: PathEncoding.encode(name), size: size,
      modificationTime: status.mtimeMilliseconds,
      stats: DeltaStatistics.json(
        schema: schema, rowCount: rowCount, writer.fileStatistics))
  }

  func discard() {
    file.discard()
  }
}

extension Codec {
  /// How file names state the compression, as Spark does it.
  fileprivate var fileExtension: String {
    switch self {
    case .uncompressed: "uncompressed"
    case .snappy: "snappy"
    case .zstd: "zstd"
    }
  }
}
