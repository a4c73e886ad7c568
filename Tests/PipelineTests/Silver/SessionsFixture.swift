import Clickstream
import DeltaLake
import DurableIO
import Foundation
import Parquet

@testable import Pipeline

/// A sessions table in a folder of its own, and the batches that a query would run on it.
///
/// All times are microseconds since 1970. Beside the table stands what it must hold: the sessions
/// of all events so far, grouped anew by the plainest means.
final class SessionsFixture {
  static let gap: Int64 = 1_800_000_000
  static let lateness: Int64 = 600_000_000
  static let minute: Int64 = 60_000_000
  static let hour: Int64 = 3_600_000_000
  static let day: Int64 = 86_400_000_000
  /// 2026-01-31T10:00:00Z.
  static let start: Int64 = 1_769_853_600_000_000

  struct Event {
    var visitor: String
    var time: Int64
    var kind = EventKind.pageView
    var isIdentified = true
  }

  /// What a batch did.
  struct Outcome {
    var staged: StagedSessions
    var openedFiles: Int
    var set: SessionSet
  }

  let path: String
  let publisher = Publisher(lock: nil)
  var configuration: Configuration
  private(set) var table: DeltaTable
  private(set) var sessions: SessionsTable
  private(set) var set = SessionSet(visitors: VisitorTable(), gap: gap)
  private(set) var watermark = Int64.min
  private(set) var parkedAfter: Int64?
  private var newest = Int64.min
  private var batch: Int64 = 0
  private(set) var events: [Event] = []

  init() throws {
    let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appendingPathComponent("sessions-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    path = folder.path
    configuration = Configuration(brokers: ["localhost:1"])
    let metadata = TableMetadata(
      id: UUID().uuidString, name: "clickstream_sessions",
      schemaString: SessionsSchema.table.schemaString,
      partitionColumns: SessionsSchema.partitionColumns, createdTime: Self.start / 1000)
    table = try DeltaTable.create(
      path: path, metadata: metadata, info: Self.info, publisher: publisher,
      commitRole: .sessionsCommit)
    sessions = try SessionsTable(
      table: table, configuration: configuration, publisher: publisher)
    try sessions.reload(parkedAfter: nil)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  static var info: CommitInfo {
    CommitInfo(
      timestamp: start / 1000, operation: "STREAMING UPDATE", isBlindAppend: false,
      engineInfo: "test/1")
  }

  // MARK: Batches

  /// Runs a batch as the query does, its events in slices.
  @discardableResult
  func run(_ slices: [[Event]], at now: Int64) throws -> Outcome {
    let work = begin(at: now)
    let staged: StagedSessions
    do {
      staged = try fill(work, slices, at: now)
    } catch {
      work.discard()
      throw error
    }
    try commit(staged, at: now)
    newest = slices.joined().reduce(newest) { max($0, min($1.time, now)) }
    events += slices.joined()
    return Outcome(staged: staged, openedFiles: work.openedFiles, set: set)
  }

  @discardableResult
  func run(_ events: [Event], at now: Int64) throws -> Outcome { try run([events], at: now) }

  func begin(at now: Int64) -> SessionsBatch {
    batch += 1
    if newest != .min { watermark = max(watermark, newest - Self.lateness) }
    return sessions.begin(
      batchPrefix: "clickstream_silver-0000000\(batch)", timestampMs: now / 1000)
  }

  /// Takes in the events of a batch and stages its files.
  func fill(_ work: SessionsBatch, _ slices: [[Event]], at now: Int64) throws -> StagedSessions {
    let stored = set.count
    let parkedAfter = now + Self.lateness
    let placement = SessionPlacement(
      watermark: watermark, gap: Self.gap, parkedAfter: parkedAfter)
    for file in work.dueFiles(placement) { try work.takeDue(placement, from: file, into: set) }
    for slice in slices {
      let rows = EventRows(visitors: set.visitors)
      for event in slice {
        var name = event.visitor
        rows.append(
          visitor: name.withUTF8 { set.visitors.id(of: UnsafeRawBufferPointer($0)) },
          isIdentified: event.isIdentified, kind: event.kind, time: event.time, eventIDHash: 0,
          position: SourcePosition(ingestedAt: now, partition: 0, offset: 0))
      }
      let grouped = GroupedEvents(
        rows, survivors: [Bool](repeating: true, count: rows.count), gap: Self.gap)
      try work.take(grouped.clusters, gap: Self.gap, into: set)
      _ = set.add(grouped, updatedAt: now / 1000 * 1000)
    }
    return try work.finish(
      set, watermark: watermark, gap: Self.gap, parkedAfter: parkedAfter, storedHotCount: stored)
  }

  private func commit(_ staged: StagedSessions, at now: Int64) throws {
    try commit(staged.removes.map(Action.remove) + staged.adds.map(Action.add))
    let placement = SessionPlacement(
      watermark: watermark, gap: Self.gap, parkedAfter: now + Self.lateness)
    parkedAfter = placement.parkedAfter
    try sessions.apply(
      adds: staged.adds, removes: staged.removes, parkedAfter: placement.parkedAfter)
    set.removeAll { placement.place(of: $0) != .hot }
    set.markStored()
  }

  /// Commits as any program might.
  func commit(_ actions: [Action]) throws {
    let result = try table.commit(
      actions, info: Self.info, expecting: table.snapshot.version, publisher: publisher,
      role: .sessionsCommit)
    guard case .committed = result else { throw PipelineError.conflict(result, in: table) }
  }

  /// Reads the table anew, as the daemon does at its start or after another program's commit.
  func restart() throws {
    guard let opened = try DeltaTable.open(path: path) else { throw CocoaError(.fileNoSuchFile) }
    table = opened
    sessions = try SessionsTable(
      table: table, configuration: configuration, publisher: publisher)
    try sessions.reload(parkedAfter: parkedAfter)
    set = SessionSet(visitors: VisitorTable(), gap: Self.gap)
    try sessions.loadHot(into: set, watermark: 0)
  }

  /// Rewrites files as one, in no order and without statistics, as another program might.
  func replaceForeign(_ files: [SessionFile]) throws {
    let context = sessions.writing("part-foreign")
    let limits = SessionFilesWriter.Limits(
      rowGroupRows: 3, rowGroupBytes: 1 << 20, fileBytes: 1 << 30)
    let isFinal = files.first?.isFinal ?? false
    let writer = SessionFilesWriter(context, isFinal: isFinal, limits: limits)
    for file in files.reversed() {
      try writer.merge([SessionCursor(SessionFileReader(file, of: table))])
    }
    let adds = try writer.finish().map { add -> AddFile in
      var add = add
      (add.stats, add.dataChange) = (nil, false)
      return add
    }
    let removes = files.map { $0.add.removal(at: Self.start / 1000, dataChange: false) }
    try commit(removes.map(Action.remove) + adds.map(Action.add))
    try restart()
  }

  // MARK: What the table must hold

  /// The sessions of all events, `isFinal` and `updatedAt` left as they are in a new row.
  func expected() -> [StoredSession] {
    var sessions: [StoredSession] = []
    for (visitor, events) in Dictionary(grouping: events, by: \.visitor) {
      var current: [Event] = []
      for event in events.sorted(by: { $0.time < $1.time }) {
        if let last = current.last, event.time - last.time > Self.gap {
          sessions.append(StoredSession(visitor, current))
          current = []
        }
        current.append(event)
      }
      sessions.append(StoredSession(visitor, current))
    }
    return sessions.sorted()
  }

  /// The rows of the table without what the watermark decides.
  func truths() throws -> [StoredSession] {
    try StoredSession.read(table).map { row in
      var row = row
      (row.isFinal, row.updatedAt) = (false, 0)
      return row
    }
  }
}
