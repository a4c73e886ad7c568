internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Parquet

/// Writes sessions, in the order in which they come, into data files of one partition.
///
/// No file becomes larger than the limit, unless a single row is: before a row group is written
/// its size before compression is taken for its size in the file.
final class SessionFilesWriter {
  struct Limits {
    var rowGroupRows: Int
    /// Before encoding and compression.
    var rowGroupBytes: Int
    var fileBytes: Int

    /// Final and parked sessions: small files, because one late event rewrites one of them, and
    /// small row groups, so that their bounds tell where a session is.
    static let cold = Limits(rowGroupRows: 16_384, rowGroupBytes: 2 << 20, fileBytes: 8 << 20)
  }

  /// What all writers of a batch share; the columns serve one writer at a time.
  struct Context {
    let table: String
    let options: WriterOptions
    let publisher: Publisher
    let namePrefix: String
    let columns: SessionColumns
  }

  private let context: Context
  private let isFinal: Bool
  private let limits: Limits
  private var open: DataFileWriter?
  private var openRowGroups = 0
  private var all: [DataFileWriter] = []
  private var finished: [AddFile] = []

  /// A row group's part of the footer: 13 columns, and bounds of at most 4 KiB of two of them.
  private static let rowGroupFooterBytes = 16 << 10

  init(_ context: Context, isFinal: Bool, limits: Limits) {
    precondition(context.columns.rowCount == 0, "the columns serve one writer at a time")
    self.context = context
    self.isFinal = isFinal
    self.limits = limits
  }

  /// Takes one session; `visitor` is its visitor's name.
  ///
  /// - Throws: `SystemError`, `ParquetError`; call `discard()` then.
  func append(_ session: Session, visitor: UnsafeRawBufferPointer) throws {
    let columns = context.columns
    let size = columns.byteCount + SessionColumns.rowBytes(visitorLength: visitor.count)
    if columns.rowCount >= limits.rowGroupRows
      || (columns.rowCount > 0 && size > limits.rowGroupBytes)
    {
      try writeRowGroup()
    }
    columns.append(session, visitor: visitor)
  }

  private func writeRowGroup() throws {
    let columns = context.columns
    if let open {
      let size =
        open.byteCount + columns.byteCount + (openRowGroups + 2) * Self.rowGroupFooterBytes
      if size > limits.fileBytes { try close() }
    }
    let file = open ?? create()
    open = file
    try file.writeRowGroup(columns.all)
    openRowGroups += 1
    columns.reset()
  }

  private func create() -> DataFileWriter {
    let writer = DataFileWriter(
      DataFileWriter.Target(
        tablePath: context.table, schema: SessionsSchema.table, options: context.options,
        fileBytes: .max),
      publisher: context.publisher, role: .sessionsData, namePrefix: context.namePrefix,
      partition: [(SessionsSchema.partitionColumn, isFinal ? "true" : "false")])
    all.append(writer)
    return writer
  }

  private func close() throws {
    finished += try open?.finish() ?? []
    open = nil
    openRowGroups = 0
  }

  /// Writes what is left; afterwards every file is durable and named by nobody.
  ///
  /// - Throws: `SystemError`, `ParquetError`; call `discard()` then.
  func finish() throws -> [AddFile] {
    if context.columns.rowCount > 0 { try writeRowGroup() }
    try close()
    return finished
  }

  /// Removes the files and empties the columns.
  func discard() {
    context.columns.reset()
    for writer in all { writer.discard() }
    all = []
    finished = []
    open = nil
  }
}
