internal import Clickstream
internal import DeltaLake

/// Walks through the rows of a file, front to back, with one row group in memory.
final class SessionCursor {
  private let reader: SessionFileReader
  private let skipped: RowMarks
  private let timestamp: Int64?
  private var rows: SessionRowGroup?
  private var nextRowGroup = 0
  private var row = 0
  /// The number of the current row group's first row in the file.
  private var start = 0

  /// - Parameters:
  ///   - skipped: rows that are passed over.
  ///   - timestamp: becomes `updatedAt` of the rows; nil leaves them as they are.
  init(
    _ reader: SessionFileReader, skipping skipped: RowMarks = RowMarks(), timestamp: Int64? = nil
  ) throws {
    self.reader = reader
    self.timestamp = timestamp
    self.skipped = skipped
    try settle()
  }

  /// When the current row's session begins; nil behind the last row.
  var first: Int64? { rows.map { $0.firsts[row] } }

  /// Writes the current row and goes on to the next.
  func moveRow(to writer: SessionFilesWriter) throws {
    guard let rows else { preconditionFailure("there is no row behind the last") }
    // The writer takes the name, so no visitor's number is needed.
    var session = rows.session(ofRow: row, visitor: 0)
    if let timestamp { session.updatedAt = timestamp }
    try rows.withVisitor(ofRow: row) { try writer.append(session, visitor: $0) }
    row += 1
    try settle()
  }

  /// Goes on to the next row that is not skipped, this one included.
  private func settle() throws {
    while true {
      if let rows {
        while row < rows.rowCount, skipped.contains(start + row) { row += 1 }
        if row < rows.rowCount { return }
        start += rows.rowCount
        self.rows = nil
      }
      guard nextRowGroup < reader.rowGroupCount else { return }
      let loaded = try SessionRowGroup(reader, nextRowGroup)
      try loaded.loadNames()
      try loaded.loadFacts()
      rows = loaded
      nextRowGroup += 1
      row = 0
    }
  }
}

extension SessionFilesWriter {
  /// Writes the rows of files as one, by first event where each of them is.
  func merge(_ cursors: [SessionCursor]) throws {
    while let (cursor, _) = Self.earliest(cursors) { try cursor.moveRow(to: self) }
  }

  /// Writes the rows of files and of memory as one.
  ///
  /// - Parameter sessions: sorted by first event.
  func merge(
    _ cursors: [SessionCursor], _ sessions: ArraySlice<Session>, _ visitors: VisitorTable
  ) throws {
    var sessions = sessions
    while let (cursor, first) = Self.earliest(cursors) {
      while let session = sessions.first, session.first < first {
        try append(session, visitors)
        sessions.removeFirst()
      }
      try cursor.moveRow(to: self)
    }
    for session in sessions { try append(session, visitors) }
  }

  /// Takes one session of memory.
  func append(_ session: Session, _ visitors: VisitorTable) throws {
    try visitors.withBytes(of: session.visitor) { try append(session, visitor: $0) }
  }

  private static func earliest(_ cursors: [SessionCursor]) -> (SessionCursor, Int64)? {
    var earliest: (SessionCursor, Int64)?
    for cursor in cursors {
      guard let first = cursor.first else { continue }
      if let known = earliest, known.1 <= first { continue }
      earliest = (cursor, first)
    }
    return earliest
  }
}
