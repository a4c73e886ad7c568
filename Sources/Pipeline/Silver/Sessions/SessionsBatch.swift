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
  var takenFinal: [TakenFinal] = []
  /// Staged files of this batch with sessions that left memory, in the order of their writing.
  var aside: [AsideFile] = []
  /// How many of those became final by this batch.
  var becameFinalAside = 0
  /// Cold files that were opened to look for sessions, each time counted.
  private(set) var openedFiles = 0
  /// The instants up to which due sessions were taken from the parked files.
  private(set) var takenDue: (parkedAfter: Int64, watermark: Int64)?
  var writers: [SessionFilesWriter] = []

  /// A cold file that will be rewritten without the rows that were taken.
  final class TouchedFile {
    let file: SessionFile
    var taken = RowMarks()
    /// All its rows, once it was opened.
    var rowCount: Int?

    /// Whether nothing is left of it.
    var isEmpty: Bool { rowCount == taken.count }

    init(_ file: SessionFile) { self.file = file }
  }

  /// A staged file of this batch; rows of it may be taken like those of a live one.
  struct AsideFile {
    let add: AddFile
    let touched: TouchedFile
    let isQuiet: Bool
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

  /// The same in microseconds: `updated_at` of what the batch changes.
  var timestamp: Int64 { timestampMs.clampedMultiplied(by: 1000) }

  /// Moves the stored sessions that the clusters extend from cold files into the set.
  ///
  /// Files are opened only when their statistics leave it possible; each row is taken once.
  /// - Throws: `ParquetError`; `PipelineError` naming file and row for a row that contradicts
  ///   itself.
  func take(_ clusters: [EventCluster], gap: Int64, into set: SessionSet) throws {
    guard let extent = SessionReach.extent(of: clusters, gap: gap) else { return }
    let cold = [
      sessions.final, sessions.parked, sessions.quiet, aside.map(\.touched.file),
    ]
    let files = cold.flatMap {
      $0.filter { $0.mayReach(from: extent.lowerBound, to: extent.upperBound) }
    }
    guard var limits = files.first.map({ $0.firsts.lowerBound...$0.lasts.upperBound }) else {
      return
    }
    for file in files {
      limits =
        min(
          limits.lowerBound, file.firsts.lowerBound)...max(limits.upperBound, file.lasts.upperBound)
    }
    let reach = SessionReach(clusters, gap: gap, within: limits)
    for file in files
    where reach.mayTouch(from: file.firsts.lowerBound, to: file.lasts.upperBound) {
      try take(.reached(reach), from: file, into: set)
    }
  }

  /// The parked files that may hold sessions whose time has come.
  func dueFiles(_ placement: SessionPlacement) -> [SessionFile] {
    takenDue = (placement.parkedAfter, placement.watermark)
    return sessions.parked.filter { $0.firsts.lowerBound <= placement.latestDue }
  }

  /// Moves the sessions of one of the due files whose time has come into the set.
  ///
  /// Has to be called for all of them before `finish`, with the same instants.
  /// - Throws: as `take`.
  func takeDue(
    _ placement: SessionPlacement, from file: SessionFile, into set: SessionSet
  ) throws {
    try take(.due(placement), from: file, into: set)
  }

  /// Moves rows of one file into the set.
  private func take(
    _ selection: SessionSelection, from file: SessionFile, into set: SessionSet
  ) throws {
    let reader = try SessionFileReader(file, of: sessions.table)
    openedFiles += 1
    let staged = aside.first { $0.touched.file.add.path == file.add.path }?.touched
    let known = staged ?? touched[file.add.path]
    let touching = known ?? TouchedFile(file)
    var start = 0
    for index in 0..<reader.rowGroupCount {
      defer { start += reader.rowCount(ofRowGroup: index) }
      guard selection.mayInclude(rowGroup: index, of: reader) else { continue }
      let rows = try SessionRowGroup(reader, index)
      for row in 0..<rows.rowCount
      where selection.mayInclude(first: rows.firsts[row], last: rows.lasts[row])
        && !touching.taken.contains(start + row)
      {
        try rows.loadNames()
        let visitor = try rows.withVisitor(ofRow: row) {
          selection.visitor($0, first: rows.firsts[row], last: rows.lasts[row], in: set.visitors)
        }
        guard let visitor else { continue }
        try rows.loadFacts()
        let session = rows.session(ofRow: row, visitor: visitor)
        touching.taken.insert(start + row)
        if staged == nil { note(session, from: file) }
        set.insert(session, .changed)
      }
    }
    touching.rowCount = start
    if known == nil, touching.taken.count > 0 { touched[file.add.path] = touching }
  }

  private func note(_ session: Session, from file: SessionFile) {
    guard file.isFinal else { return }
    takenFinal.append(
      TakenFinal(visitor: session.visitor, first: session.first, last: session.last))
  }

  /// Removes the staged files; the set must not be used any more, its sessions are those of a
  /// batch that never happened.
  func discard() {
    for writer in writers { writer.discard() }
    writers = []
    aside = []
    touched = [:]
    takenFinal = []
  }
}
