internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Parquet

/// `silver.clickstream_sessions`: which files it has, and what is in each without opening it.
///
/// *Hot* files hold the sessions that are in memory while the daemon runs; the others are cold:
/// what they hold is found by their statistics when an event reaches into them. *Parked* is what is
/// not final and begins too far in the future; *quiet* is what is not final yet and will be so
/// with the next batch. Whether a file counts as hot or as parked decides about work, never about
/// truth: rows of a hot file are in memory, those of a parked file are looked up. An instance
/// belongs to one thread.
final class SessionsTable {
  let table: DeltaTable
  let configuration: Configuration
  let publisher: Publisher

  /// The version of the table that the files below are of.
  private(set) var indexedVersion: Int64 = -1
  private(set) var hot: [SessionFile] = []
  private(set) var parked: [SessionFile] = []
  private(set) var quiet: [SessionFile] = []
  private(set) var final: [SessionFile] = []

  /// The column buffers of all batches.
  let columns: SessionColumns
  /// When files were last vacuumed, milliseconds since 1970; nil before this process did it.
  var lastVacuum: Int64?
  /// Files that a compaction could not make fewer, by path.
  var unjoinable: Set<String> = []

  init(table: DeltaTable, configuration: Configuration, publisher: Publisher) throws {
    self.table = table
    self.configuration = configuration
    self.publisher = publisher
    columns = try SessionColumns()
  }

  /// Takes over the files of the table's snapshot.
  ///
  /// Afterwards the sessions of the hot files have to be loaded anew.
  /// - Parameter parkedAfter: that of the last batch; nil before the first one.
  /// - Throws: `DeltaError`, `SystemError`; `PipelineError` for a file of no partition.
  func reload(parkedAfter: Int64?) throws {
    (hot, parked, quiet, final) = ([], [], [], [])
    for add in try table.liveFiles() { try take(add, parkedAfter: parkedAfter ?? .max) }
    indexedVersion = table.snapshot.version
  }

  /// Takes over what was just committed with `indexedVersion` as the expected version.
  ///
  /// - Parameters:
  ///   - parkedAfter: the batch's.
  ///   - quietPaths: the files whose sessions are not in memory.
  func apply(
    adds: [AddFile], removes: [RemoveFile], parkedAfter: Int64, quietPaths: Set<String> = []
  ) throws {
    let paths = Set(removes.map(\.path))
    hot.removeAll { paths.contains($0.add.path) }
    quiet.removeAll { paths.contains($0.add.path) }
    parked.removeAll { paths.contains($0.add.path) }
    // The final files are many, and most batches remove none.
    let mayBeFinal = removes.contains {
      $0.partitionValues?[SessionsSchema.partitionColumn] != .some("false")
    }
    if mayBeFinal { final.removeAll { paths.contains($0.add.path) } }
    for add in adds {
      if quietPaths.contains(add.path) {
        quiet.append(try SessionFile(add, table: table.path))
      } else {
        try take(add, parkedAfter: parkedAfter)
      }
    }
    indexedVersion += 1
  }

  private func take(_ add: AddFile, parkedAfter: Int64) throws {
    let file = try SessionFile(add, table: table.path)
    if file.isFinal {
      final.append(file)
    } else if file.firsts.lowerBound > parkedAfter {
      parked.append(file)
    } else {
      hot.append(file)
    }
  }

  /// Reads the hot sessions.
  ///
  /// Files whose sessions are all final by the batch's watermark stay on disk, as quiet ones.
  /// - Throws: `ParquetError`; `PipelineError` naming file and row for a row that contradicts
  ///   itself. The set must not be used then.
  func loadHot(into set: SessionSet, watermark: Int64) throws {
    let placement = SessionPlacement(watermark: watermark, gap: set.gap, parkedAfter: .max)
    let files = hot + quiet
    quiet = files.filter { placement.isFinal(last: $0.lasts.upperBound) }
    hot = files.filter { !placement.isFinal(last: $0.lasts.upperBound) }
    for file in hot {
      let reader = try SessionFileReader(file, of: table)
      for index in 0..<reader.rowGroupCount {
        let rows = try SessionRowGroup(reader, index)
        try rows.loadNames()
        try rows.loadFacts()
        for row in 0..<rows.rowCount {
          let visitor = try rows.withVisitor(ofRow: row) { set.visitors.id(of: $0) }
          set.insert(rows.session(ofRow: row, visitor: visitor), .stored)
        }
      }
    }
  }

  /// A batch on its way to staged files; one at a time.
  ///
  /// - Parameters:
  ///   - batchPrefix: how the batch's files are called.
  ///   - timestampMs: the batch's, which becomes `updated_at` of what it changes.
  func begin(batchPrefix: String, timestampMs: Int64) -> SessionsBatch {
    SessionsBatch(self, namePrefix: batchPrefix, timestampMs: timestampMs)
  }

  /// What the writers of files with this prefix share.
  func writing(_ namePrefix: String) -> SessionFilesWriter.Context {
    SessionFilesWriter.Context(
      table: table.path, options: configuration.writerOptions, publisher: publisher,
      namePrefix: namePrefix, columns: columns)
  }

  /// How hot files are written: they are read whole, and one is better than several.
  var hotLimits: SessionFilesWriter.Limits {
    SessionFilesWriter.Limits(
      rowGroupRows: 131_072, rowGroupBytes: configuration.storage.rowGroupBytes,
      fileBytes: Int(clamping: configuration.storage.targetFileBytes))
  }
}
