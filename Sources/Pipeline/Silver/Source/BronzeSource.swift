internal import DeltaLake
internal import Parquet
internal import StreamCheckpoint

/// The Bronze table as a stream of rows, with the offsets of Spark's Delta source.
///
/// A commit's files with `dataChange` are numbered in the order of its lines; commits without such
/// files (compaction, properties, transactions) are passed over. For one thread; keeps no file
/// open.
final class BronzeSource {
  let path: String
  private let log: Log
  /// Bronze at the version of the last `refresh()`; nil while there is no table.
  private(set) var table: DeltaTable?
  /// Versions without data behind an offset, so that they are not read in each run again.
  private var passedOver: (from: DeltaSourceOffset, upTo: Int64)?
  /// The files of an initial snapshot while it is read batch by batch.
  private var startingFiles: (version: Int64, files: [SourceFile])?

  init(path: String, log: Log) {
    self.path = path
    self.log = log
  }

  /// Moves on to Bronze's newest version.
  ///
  /// - Returns: false when there is no table yet.
  /// - Throws: `DeltaError`, `SystemError`; the version is then the one before.
  func refresh() throws -> Bool {
    guard let table else {
      table = try DeltaTable.open(path: path)
      for warning in table?.snapshot.warnings ?? [] { log.warning("bronze: \(warning)") }
      return table != nil
    }
    do {
      try table.refresh()
    } catch let error as DeltaError where error.code == .rewrittenLog {
      // Another table in the same place is a case of its own: `plan` refuses it by name.
      guard let found = try DeltaTable.open(path: path),
        found.snapshot.metadata.id != table.snapshot.metadata.id
      else { throw error }
      self.table = found
      forget()
    }
    return true
  }

  private func forget() {
    passedOver = nil
    startingFiles = nil
  }

  /// Where a query without a checkpoint starts: at version 0 while its commit is there, else with
  /// the files of the newest version.
  func startingOffset() throws -> DeltaSourceOffset {
    let table = try opened
    guard try table.actions(ofVersion: 0) != nil else { return try snapshotOffset() }
    return DeltaSourceOffset(reservoirID: table.snapshot.metadata.id, version: 0)
  }

  /// Before the first of all files of the newest version.
  func snapshotOffset() throws -> DeltaSourceOffset {
    let snapshot = try opened.snapshot
    return DeltaSourceOffset(
      reservoirID: snapshot.metadata.id, version: snapshot.version, isStartingVersion: true)
  }

  /// Behind the newest version.
  func endOffset() throws -> DeltaSourceOffset {
    let snapshot = try opened.snapshot
    return DeltaSourceOffset(
      reservoirID: snapshot.metadata.id, version: snapshot.version + 1)
  }

  fileprivate var opened: DeltaTable {
    get throws {
      guard let table else { throw BronzeError.missing(path) }
      return table
    }
  }
}

/// Planning and replay.
extension BronzeSource {
  /// The next batch: whole versions, at least one, as many as stay within the limits; in an initial
  /// snapshot single files.
  ///
  /// - Parameters:
  ///   - end: as `endOffset()` gave it at the start of the run.
  ///   - maxRows: by the statistics of the files, or by their footers where there are none.
  /// - Returns: nil when there is no data up to `end`.
  /// - Throws: `PipelineError` BRONZE_RECREATED, BRONZE_LOG_GAP, BRONZE_REWRITTEN, BRONZE_SCHEMA,
  ///   BRONZE_FILE_MISSING; `DeltaError`, `SystemError`.
  func plan(
    from start: DeltaSourceOffset, upTo end: DeltaSourceOffset, maxRows: Int64, maxBytes: Int64
  ) throws -> SourcePlan? {
    try check(start, end)
    var batch = BatchBuilder(maxRows: maxRows, maxBytes: maxBytes)
    if start.isStartingVersion {
      for file in try startingFiles(between: start, end) {
        let rows = try rowCount(of: file)
        guard batch.admits(rows: rows, bytes: file.add.size) else {
          return batch.plan(endingBefore: file, of: start)
        }
        batch.append([file], rows: rows, bytes: file.add.size)
      }
      if !batch.files.isEmpty { return batch.plan(endingAfter: start.version, of: start) }
    }
    return try planVersions(from: start, upTo: end, batch)
  }

  private func planVersions(
    from start: DeltaSourceOffset, upTo end: DeltaSourceOffset, _ empty: BatchBuilder
  ) throws -> SourcePlan? {
    var batch = empty
    let first = firstVersion(after: start)
    var version = first
    if let passedOver, passedOver.from == start { version = max(version, passedOver.upTo) }
    while let files = try files(ofVersion: version, between: start, end) {
      let rows = try files.reduce(into: Int64(0)) { $0 = $0.clampedAdding(try rowCount(of: $1)) }
      let bytes = files.reduce(into: Int64(0)) { $0 = $0.clampedAdding($1.add.size) }
      guard files.isEmpty || batch.admits(rows: rows, bytes: bytes) else { break }
      batch.append(files, rows: rows, bytes: bytes)
      version += 1
      if batch.files.isEmpty { passedOver = (start, version) }
    }
    guard !batch.files.isEmpty else { return nil }
    return batch.plan(endingAfter: version - 1, of: start)
  }

  /// Exactly the files that lie behind `start` up to `end`: those of the batch that was planned so.
  ///
  /// - Throws: what `plan` throws.
  func files(from start: DeltaSourceOffset, to end: DeltaSourceOffset) throws -> [SourceFile] {
    try check(start, end)
    var found: [SourceFile] = []
    if start.isStartingVersion { found = try startingFiles(between: start, end) }
    var version = firstVersion(after: start)
    while let files = try files(ofVersion: version, between: start, end) {
      found += files
      version += 1
    }
    return found
  }

  private func firstVersion(after start: DeltaSourceOffset) -> Int64 {
    start.isStartingVersion ? start.version + 1 : start.version
  }

  /// What one commit adds between the offsets; nil when the version is behind `end`.
  private func files(
    ofVersion version: Int64, between start: DeltaSourceOffset, _ end: DeltaSourceOffset
  ) throws -> [SourceFile]? {
    let isPartial = version == end.version && end.index >= 0 && !end.isStartingVersion
    guard version < end.version || isPartial else { return nil }
    guard let actions = try opened.actions(ofVersion: version) else {
      throw BronzeError.logGap(path, version: version, newest: try opened.snapshot.version)
    }
    let files = try SourceCommit(path: path, version: version, actions: actions)
      .files(checking: opened.snapshot)
    return files.filter { file in
      (version > start.version || start.isStartingVersion || file.index > start.index)
        && (!isPartial || file.index <= end.index)
    }
  }

  private func startingFiles(
    between start: DeltaSourceOffset, _ end: DeltaSourceOffset
  ) throws -> [SourceFile] {
    let isPartial = end.isStartingVersion && end.version == start.version
    return try startingFiles(ofVersion: start.version).filter { file in
      file.index > start.index && (!isPartial || file.index <= end.index)
    }
  }

  /// All live files of a version by (modificationTime, path), as Spark's `DeltaSourceSnapshot`
  /// numbers them.
  private func startingFiles(ofVersion version: Int64) throws -> [SourceFile] {
    if let startingFiles, startingFiles.version == version { return startingFiles.files }
    var files: [SourceFile] = []
    let isKnown = try opened.forEachFile(ofVersion: version, restart: { files = [] }) {
      files.append(SourceFile($0, version: version, index: 0))
    }
    guard isKnown else { throw BronzeError.snapshotGone(path, version: version) }
    files.sort { left, right in
      left.add.modificationTime != right.add.modificationTime
        ? left.add.modificationTime < right.add.modificationTime
        : left.add.path.utf8.lexicographicallyPrecedes(right.add.path.utf8)
    }
    for index in files.indices { files[index].index = Int64(index) }
    startingFiles = (version, files)
    return files
  }

  private func check(_ start: DeltaSourceOffset, _ end: DeltaSourceOffset) throws {
    let snapshot = try opened.snapshot
    for offset in [start, end] where offset.reservoirID != snapshot.metadata.id {
      throw BronzeError.recreated(
        path, expected: offset.reservoirID, found: snapshot.metadata.id)
    }
    for offset in [start, end] where offset.version - 1 > snapshot.version {
      throw BronzeError.behind(path, version: offset.version, newest: snapshot.version)
    }
    try BronzeShape(snapshot).check(path)
    if let startingFiles, !start.isStartingVersion || startingFiles.version != start.version {
      self.startingFiles = nil
    }
  }

  private func rowCount(of file: SourceFile) throws -> Int64 {
    if let count = file.statedRowCount { return count }
    return try SourceDataFile(file, of: opened).reader.metadata.numRows
  }
}

/// Collects a batch up to its limits.
private struct BatchBuilder {
  let maxRows: Int64
  let maxBytes: Int64
  private(set) var files: [SourceFile] = []
  private var rows: Int64 = 0
  private var bytes: Int64 = 0

  init(maxRows: Int64, maxBytes: Int64) {
    self.maxRows = maxRows
    self.maxBytes = maxBytes
  }

  /// Whatever the limits, the first files are taken: the stream has to go on.
  func admits(rows: Int64, bytes: Int64) -> Bool {
    files.isEmpty
      || self.rows.clampedAdding(rows) <= maxRows && self.bytes.clampedAdding(bytes) <= maxBytes
  }

  mutating func append(_ files: [SourceFile], rows: Int64, bytes: Int64) {
    self.files += files
    self.rows = self.rows.clampedAdding(rows)
    self.bytes = self.bytes.clampedAdding(bytes)
  }

  /// Everything up to the end of `version`.
  func plan(endingAfter version: Int64, of start: DeltaSourceOffset) -> SourcePlan {
    let end = DeltaSourceOffset(reservoirID: start.reservoirID, version: version + 1)
    return SourcePlan(end: end, files: files, rowCount: rows)
  }

  /// Within the initial snapshot.
  func plan(endingBefore file: SourceFile, of start: DeltaSourceOffset) -> SourcePlan {
    var end = start
    end.index = file.index - 1
    return SourcePlan(end: end, files: files, rowCount: rows)
  }
}
