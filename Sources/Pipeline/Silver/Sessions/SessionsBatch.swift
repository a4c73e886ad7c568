internal import Clickstream
internal import DeltaLake

/// One batch of the sessions table: stored sessions are taken out of cold files, changed in
/// memory, and everything is staged in new files.
///
/// Nothing is visible before the commit names the files. After an error, or when the batch is
/// given up, `discard()` removes them.
final class SessionsBatch {
  let sessions: SessionsTable
  let namePrefix: String
  /// Milliseconds since 1970.
  let timestampMs: Int64
  /// Cold files with rows that were taken, by path.
  private(set) var touched: [String: TouchedFile] = [:]
  /// The rows that were taken from final files.
  private(set) var takenFinal: [TakenFinal] = []
  /// Cold files that were opened to look for sessions, each time counted.
  private(set) var openedFiles = 0
  /// Bytes that were read from cold files.
  private(set) var bytesRead = 0
  /// The instants up to which due sessions were taken from the parked files.
  private(set) var takenDue: (parkedAfter: Int64, watermark: Int64)?
  var writers: [SessionFilesWriter] = []

  /// A cold file that will be rewritten without the rows that were taken.
  final class TouchedFile {
    let file: SessionFile
    var taken = RowMarks()

    init(_ file: SessionFile) { self.file = file }
  }

  /// A session as it was in a final file.
  struct TakenFinal {
    var visitor: Int32
    var first: Int64
    var last: Int64
  }

  init(_ sessions: SessionsTable, namePrefix: String, timestampMs: Int64) {
    self.sessions = sessions
    self.namePrefix = namePrefix
    self.timestampMs = timestampMs
  }

  var timestamp: Int64 { timestampMs.clampedMultiplied(by: 1000) }

  /// Moves the stored sessions that the clusters extend from cold files into the set.
  ///
  /// Files are opened only when their statistics leave it possible; each row is taken once.
  /// - Throws: `ParquetError`; `PipelineError` naming file and row for a row that contradicts
  ///   itself.
  func take(_ clusters: [EventCluster], gap: Int64, into set: SessionSet) throws {
    guard let extent = SessionReach.extent(of: clusters, gap: gap) else { return }
    let files = [sessions.final, sessions.parked].flatMap {
      $0.filter { $0.mayReach(from: extent.lowerBound, to: extent.upperBound) }
    }
    guard var limits = files.first.map({ $0.firsts.lowerBound...$0.lasts.upperBound }) else {
      return
    }
    for file in files {
      limits =
        min(limits.lowerBound, file.firsts.lowerBound)
        ... max(limits.upperBound, file.lasts.upperBound)
    }
    let reach = SessionReach(clusters, gap: gap, within: limits)
    for file in files
    where reach.mayTouch(from: file.firsts.lowerBound, to: file.lasts.upperBound) {
      try take(from: file, into: set) { reader, index in
        reader.rowGroup(index, mayTouch: reach)
      } matching: { first, last in
        reach.mayTouch(from: first, to: last)
      } of: { name, first, last in
        guard let visitor = set.visitors.find(name) else { return nil }
        return reach.touches(visitor: visitor, first: first, last: last) ? visitor : nil
      }
    }
  }

  /// Moves the parked sessions whose time has come into the set.
  ///
  /// Has to be called before `finish`, with the same instants.
  /// - Throws: as `take`.
  func takeDue(parkedAfter: Int64, watermark: Int64, gap: Int64, into set: SessionSet) throws {
    let placement = SessionPlacement(watermark: watermark, gap: gap, parkedAfter: parkedAfter)
    // What is final ends before the watermark, so it begins before it too.
    let latest = max(parkedAfter, watermark)
    for file in sessions.parked where file.firsts.lowerBound <= latest.clampedAdding(999) {
      try take(from: file, into: set) { reader, index in
        reader.rowGroup(index, mayBeginBy: latest.clampedAdding(999))
      } matching: { first, last in
        !placement.isParked(first: first) || placement.isFinal(last: last)
      } of: { name, _, _ in
        set.visitors.id(of: name)
      }
    }
    takenDue = (parkedAfter, watermark)
  }

  /// Moves rows of one file into the set.
  ///
  /// - Parameters:
  ///   - mayHold: whether a row group may have rows to take, by its statistics.
  ///   - matching: whether a row may be taken, by its times.
  ///   - visitor: the visitor of a row that is taken, by its name and times; nil: not taken.
  private func take(
    from file: SessionFile, into set: SessionSet,
    rowGroups mayHold: (SessionFileReader, Int) -> Bool,
    matching: (_ first: Int64, _ last: Int64) -> Bool,
    of visitor: (UnsafeRawBufferPointer, _ first: Int64, _ last: Int64) -> Int32?
  ) throws {
    let reader = try SessionFileReader(file, of: sessions.table)
    openedFiles += 1
    defer { bytesRead += reader.bytesRead }
    let known = touched[file.add.path]
    let touching = known ?? TouchedFile(file)
    var start = 0
    for index in 0..<reader.rowGroupCount {
      defer { start += reader.rowCount(ofRowGroup: index) }
      guard mayHold(reader, index) else { continue }
      let rows = try SessionRowGroup(reader, index)
      for row in 0..<rows.rowCount
      where matching(rows.firsts[row], rows.lasts[row]) && !touching.taken.contains(start + row) {
        try rows.loadNames()
        let found = try rows.withVisitor(ofRow: row) {
          visitor($0, rows.firsts[row], rows.lasts[row])
        }
        guard let found else { continue }
        try rows.loadFacts()
        let session = rows.session(ofRow: row, visitor: found)
        touching.taken.insert(start + row)
        note(session, from: file)
        set.insert(session, .changed)
      }
    }
    if known == nil, touching.taken.count > 0 { touched[file.add.path] = touching }
  }

  private func note(_ session: Session, from file: SessionFile) {
    guard file.isFinal else { return }
    takenFinal.append(
      TakenFinal(visitor: session.visitor, first: session.first, last: session.last))
  }

  /// Counts what the rewriting of a cold file read.
  func noteRead(_ bytes: Int) { bytesRead += bytes }

  /// Removes the staged files; the set must not be used any more, its sessions are those of a
  /// batch that never happened.
  func discard() {
    for writer in writers { writer.discard() }
    writers = []
    touched = [:]
    takenFinal = []
  }
}
