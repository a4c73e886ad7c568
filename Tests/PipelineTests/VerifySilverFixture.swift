import Clickstream
import DeltaLake
import DurableIO
import Foundation
import Parquet

@testable import Pipeline

/// A Bronze table written by hand and the Silver that the daemon made of it, to look at or to
/// damage.
final class VerifySilverFixture: DamagedState, Sendable {
  static let minute: Int64 = 60_000_000
  static let day: Int64 = 86_400_000_000
  /// The newest rows came in just now; microseconds, as all times here.
  private static let now = wallClockMilliseconds() * 1000
  private static let batches = history()
  private static let pristine = Result {
    let fixture = VerifySilverFixture(state: VerifyFixture.newDirectory(), isKept: true)
    for batch in batches {
      try fixture.appendToBronze(batch)
      try fixture.run()
    }
    return fixture.state
  }

  let state: String
  private let isKept: Bool
  var publisher: Publisher { Publisher(lock: nil) }

  /// A copy of a state of three batches: late events, duplicates, open and parked sessions.
  convenience init() throws {
    self.init(state: VerifyFixture.newDirectory())
    try FileManager.default.copyItem(atPath: try Self.pristine.get(), toPath: state)
  }

  /// An empty state.
  init(state: String, isKept: Bool = false) {
    self.state = state
    self.isKept = isKept
  }

  deinit { if !isKept { try? FileManager.default.removeItem(atPath: state) } }

  var configuration: Configuration {
    VerifyFixture.configuration(brokers: "127.0.0.1:1", state: state)
  }
  var paths: StatePaths { configuration.paths }

  func verify(isDeep: Bool = false, rows: Int = 1000) throws -> VerificationReport {
    try StateVerifier.verify(configuration, isDeep: isDeep, deepRows: rows)
  }

  // MARK: History

  /// One name holds what a terminal would obey.
  private static func customer(_ number: Int) -> String {
    number == 7 ? "c7\n\u{1b}[31m" : "c\(number)"
  }

  private static func history() -> [[BronzeEvent]] {
    var writer = HistoryWriter(ingestedAt: now - day)
    for visitor in 0..<24 {
      // A pause of exactly the gap does not split, one microsecond more does.
      for pause: Int64 in [0, 5, 35, 66] {
        writer.add(
          visitor, customer(visitor),
          at: now - 2 * day + Int64(visitor) * 7 * minute
            + pause * minute + (pause == 66 ? 1 : 0))
      }
    }
    let first = writer.take()
    writer.ingestedAt = now - day / 2
    for visitor in 0..<24 {
      writer.add(visitor, customer(visitor), at: now - day + Int64(visitor) * minute)
      writer.add(visitor, customer(visitor), at: now - day + Int64(visitor + 20) * minute)
    }
    // Late, between the sessions of the first batch, which it joins.
    writer.add(1, customer(1), at: now - 2 * day + (7 + 20) * minute)
    // A duplicate that comes later loses, one that came in earlier takes the stored one's place.
    writer.repeat(first[8], at: writer.ingestedAt, type: "search")
    writer.repeat(first[21], at: now - 2 * day, type: "purchase")
    let second = writer.take()
    writer.ingestedAt = now
    for visitor in 0..<12 { writer.add(visitor, customer(visitor), at: now - 5 * minute) }
    for visitor in 3..<6 { writer.add(visitor, customer(visitor), at: now + 2 * day) }
    writer.repeat(second[0], at: now, type: "other")
    return [first, second, writer.take()]
  }

  /// All rows of Bronze, and of each event the row that Silver keeps.
  static var bronzeRows: [BronzeEvent] { batches.flatMap { $0 } }
  static var uniqueEvents: [BronzeEvent] {
    BronzeEvent.unique(bronzeRows).sorted { $0.position < $1.position }
  }
  /// A duplicate that comes after all others.
  static var oneMoreRow: BronzeEvent {
    var row = bronzeRows[0]
    (row.offset, row.ingestedAt) = (9999, now)
    return row
  }
  /// The row that was dropped as a duplicate of the first batch's.
  static var loser: BronzeEvent {
    batches[1].first { $0.key == batches[0][8].key } ?? batches[0][8]
  }

  // MARK: Work of the daemon

  func appendToBronze(_ rows: [BronzeEvent]) throws {
    let table =
      try DeltaTable.open(path: paths.bronze)
      ?? DeltaTable.create(
        path: paths.bronze,
        metadata: TableMetadata(
          id: UUID().uuidString.lowercased(), schemaString: BronzeSchema.raw.schemaString,
          createdTime: 0),
        info: info, publisher: publisher, commitRole: .tableCommit)
    let adds = try write(
      EventsFixture.columns(rows, BronzeSchema.raw), to: table, BronzeSchema.raw)
    try commit(adds.map(Action.add), to: table)
  }

  /// One run of the Silver query.
  func run(isDrained: Bool = true) throws {
    try withLock { lock in
      let query = SilverQuery(
        configuration: configuration, paths: .live(paths), lock: lock, log: .silent)
      _ = try query.run(Self.context, isDrained: isDrained)
    }
  }

  func rebuild() throws {
    try withLock { lock in
      _ = try SilverRebuild(configuration: configuration, lock: lock, log: .silent)
        .execute(Self.context)
    }
  }

  private func withLock(_ body: (InstanceLock) throws -> Void) throws {
    try Files.makeDirectories(state)
    try body(try InstanceLock.acquire(path: paths.lock))
  }

  static var context: RunContext {
    RunContext(stop: StopRequest(), heartbeat: Heartbeat(), log: .silent, progress: { _ in })
  }

  // MARK: Tables

  func table(_ path: String) throws -> DeltaTable {
    guard let table = try DeltaTable.open(path: path) else { throw Missing(path: path) }
    return table
  }

  func newestBatch() throws -> Int64 {
    guard let batch = try SilverState(paths).accounting?.batch else { throw Missing(path: state) }
    return batch
  }

  /// The sessions commit of a batch.
  func commitFile(of batch: Int64, in path: String) throws -> String {
    let table = try table(path)
    guard let id = try SilverState(paths).queryID,
      let found = try table.commitInfo(ofTransaction: id, version: batch)
    else { throw Missing(path: path) }
    return logFile(of: path, Int(found.tableVersion))
  }

  var info: CommitInfo {
    CommitInfo(
      timestamp: Self.now / 1000, operation: "WRITE", isBlindAppend: false, engineInfo: "another/1")
  }

  func commit(_ actions: [Action], to table: DeltaTable) throws {
    let result = try table.commit(
      actions, info: info, expecting: table.snapshot.version, publisher: publisher,
      role: .tableCommit)
    guard case .committed = result else { throw Missing(path: table.path) }
  }

  func write(
    _ columns: [ColumnBuffer], to table: DeltaTable, _ schema: StructType,
    partition: [(column: String, value: String?)] = []
  ) throws -> [AddFile] {
    let writer = DataFileWriter(
      DataFileWriter.Target(
        tablePath: table.path, schema: schema, options: WriterOptions(), fileBytes: 1 << 30),
      publisher: publisher, role: .tableData, namePrefix: "part", partition: partition)
    try writer.writeRowGroup(columns)
    return try writer.finish()
  }

  /// Takes the place of all files, as another program might.
  func replaceFiles(of table: DeltaTable, by adds: [AddFile], dataChange: Bool = true) throws {
    let removes = try table.liveFiles().map { $0.removal(at: 0, dataChange: dataChange) }
    let adds = adds.map { add in
      var add = add
      add.dataChange = dataChange
      return add
    }
    try commit(removes.map(Action.remove) + adds.map(Action.add), to: table)
  }

  /// Writes the events table anew.
  func editEvents(_ change: (inout [BronzeEvent]) -> Void) throws {
    let table = try table(paths.events)
    var rows = Self.uniqueEvents
    change(&rows)
    let schema = table.snapshot.schema
    try replaceFiles(
      of: table, by: write(EventsFixture.columns(rows, schema), to: table, schema))
  }

  /// Writes the sessions table anew: a file of final, one of open and one of parked sessions.
  ///
  /// - Parameter parkedFrom: which sessions get a file of their own.
  func editSessions(
    parkedFrom: Int64 = now + day, _ change: (inout [StoredSession]) -> Void
  ) throws {
    let table = try table(paths.sessions)
    var rows = try StoredSession.read(table)
    change(&rows)
    let kinds = [
      rows.filter { $0.isFinal }, rows.filter { !$0.isFinal && $0.first < parkedFrom },
      rows.filter { !$0.isFinal && $0.first >= parkedFrom },
    ]
    let adds = try kinds.flatMap { rows in
      try write(
        StoredSession.columns(rows), to: table, SessionsSchema.table,
        partition: [("is_final", rows.first?.isFinal == true ? "true" : "false")])
    }
    try replaceFiles(of: table, by: adds)
  }

  struct Missing: Error { let path: String }
}

/// Rows of Bronze, one after the other.
private struct HistoryWriter {
  var ingestedAt: Int64
  private var rows: [BronzeEvent] = []
  private var offset: Int64 = 0
  private static let types = [
    "page_view", "add_to_cart", "search", "purchase", "page_view", "other",
  ]

  init(ingestedAt: Int64) { self.ingestedAt = ingestedAt }

  /// Every third visitor is anonymous.
  mutating func add(_ visitor: Int, _ name: String, at time: Int64) {
    let isAnonymous = visitor % 3 == 0
    append(
      BronzeEvent(
        id: "e\(offset)", customer: isAnonymous ? nil : name,
        session: isAnonymous ? name : "browser",
        type: Self.types[Int(offset) % 6], time: time, ingestedAt: ingestedAt, offset: offset))
  }

  mutating func `repeat`(_ event: BronzeEvent, at ingestedAt: Int64, type: String) {
    var event = event
    (event.ingestedAt, event.type, event.offset) = (ingestedAt, type, offset)
    append(event)
  }

  private mutating func append(_ event: BronzeEvent) {
    rows.append(event)
    offset += 1
  }

  mutating func take() -> [BronzeEvent] {
    defer { rows = [] }
    return rows
  }
}

extension StoredSession {
  /// The columns of a file, what contradicts itself too.
  static func columns(_ rows: [StoredSession]) throws -> [ColumnBuffer] {
    let leaves = try SessionsSchema.table.without(SessionsSchema.partitionColumns)
      .parquetSchema().leaves
    func texts(_ leaf: Int, _ value: (StoredSession) -> String?) -> ColumnBuffer {
      let column = ByteArrayColumn(leaves[leaf])
      for row in rows {
        if let text = value(row) { column.append(text) } else { column.appendNull() }
      }
      return column
    }
    func longs(_ leaf: Int, _ value: (StoredSession) -> Int64) -> ColumnBuffer {
      let column = Int64Column(leaves[leaf])
      for row in rows { column.append(value(row)) }
      return column
    }
    func integers(_ leaf: Int, _ value: (StoredSession) -> Int32) -> ColumnBuffer {
      let column = Int32Column(leaves[leaf])
      for row in rows { column.append(value(row)) }
      return column
    }
    let converted = BooleanColumn(leaves[11])
    for row in rows { converted.append(row.converted) }
    return [
      texts(0) { $0.id }, texts(1) { $0.customer }, integers(2) { $0.date },
      longs(3) { $0.first }, longs(4) { $0.last }, longs(5) { $0.duration },
      integers(6) { $0.events }, integers(7) { $0.pageViews }, integers(8) { $0.addsToCart },
      integers(9) { $0.purchases }, integers(10) { $0.searches }, converted,
      longs(12) { $0.updatedAt },
    ]
  }
}
