import Clickstream
import DeltaLake
import DurableIO
import Foundation
import Parquet

@testable import Pipeline

/// An event as it lies in Bronze.
struct BronzeEvent: Hashable {
  var id: String
  var customer: String?
  var session = "browser"
  var type = "page_view"
  /// Microseconds since 1970, as all times here.
  var time: Int64
  var ingestedAt: Int64
  var partition: Int32 = 0
  var offset: Int64

  var key: String { "\(customer ?? session)|\(time)|\(id)" }

  /// The order of survival.
  var position: SourcePosition {
    SourcePosition(ingestedAt: ingestedAt, partition: partition, offset: offset)
  }

  /// One per key, the smallest by position.
  static func unique(_ events: [BronzeEvent]) -> Set<BronzeEvent> {
    Set(
      Dictionary(grouping: events, by: \.key).values.compactMap {
        $0.min { $0.position < $1.position }
      })
  }
}

/// A Bronze table and an events table that lie in a folder of their own.
final class EventsFixture {
  /// 2026-01-31T10:00:00Z.
  static let now: Int64 = 1_769_853_600_000_000

  let state: String
  let configuration: Configuration
  let publisher = Publisher(lock: nil)
  let bronze: DeltaTable
  let source: BronzeSource
  var events: EventsTable
  private(set) var batch = 0
  /// Everything that batches were made of.
  private(set) var ingested: [BronzeEvent] = []
  private var nextOffset: Int64 = 0

  init(cacheEvents: Int = 1000, _ change: (inout Configuration) -> Void = { _ in }) throws {
    state =
      FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/events-"
      + UUID().uuidString
    var configuration = Configuration(brokers: ["127.0.0.1:1"])
    configuration.storage.stateDirectory = state
    configuration.silver.duplicateCacheEvents = cacheEvents
    change(&configuration)
    self.configuration = configuration
    bronze = try Self.create(configuration.paths.bronze, BronzeSchema.raw, publisher)
    let table = try Self.create(
      configuration.paths.events, EventsSchema.of(bronze: BronzeSchema.raw), publisher)
    events = EventsTable(table: table, configuration: configuration, publisher: publisher)
    source = BronzeSource(path: configuration.paths.bronze, log: .silent)
    try events.prepareCache(from: Self.now - 1_000_000, newest: Self.now)
  }

  deinit { try? FileManager.default.removeItem(atPath: state) }

  private static func create(
    _ path: String, _ schema: StructType, _ publisher: Publisher
  ) throws -> DeltaTable {
    try DeltaTable.create(
      path: path,
      metadata: TableMetadata(
        id: UUID().uuidString.lowercased(), schemaString: schema.schemaString, createdTime: 0),
      info: CommitInfo(
        timestamp: 0, operation: "CREATE TABLE", isBlindAppend: true, engineInfo: "test/1"),
      publisher: publisher, commitRole: .tableCommit)
  }

  // MARK: Events

  /// An event that is ingested `now`, with the next offset.
  func event(
    _ id: String, at time: Int64 = now, customer: String? = "c1", session: String = "browser",
    type: String = "page_view", ingestedAt: Int64 = now
  ) -> BronzeEvent {
    nextOffset += 1
    return BronzeEvent(
      id: id, customer: customer, session: session, type: type, time: time,
      ingestedAt: ingestedAt, offset: nextOffset)
  }

  /// Writes rows into Bronze, `rowGroups` row groups in a file.
  func slice(_ rows: [BronzeEvent]) throws -> (slice: BronzeSlice, keys: EventRows) {
    let writer = DataFileWriter(
      DataFileWriter.Target(
        tablePath: bronze.path, schema: BronzeSchema.raw, options: WriterOptions(),
        fileBytes: 1 << 30),
      publisher: publisher, role: .tableData, namePrefix: "bronze")
    try writer.writeRowGroup(try Self.columns(rows, BronzeSchema.raw))
    let files = try writer.finish()
    _ = try bronze.commitAppend(
      files.map(Action.add),
      info: CommitInfo(timestamp: 0, operation: "WRITE", isBlindAppend: true, engineInfo: "test/1"),
      publisher: publisher, role: .tableCommit)
    _ = try source.refresh()
    let slices = source.slices(
      of: files.map { SourceFile($0, version: bronze.snapshot.version, index: 0) },
      maxRows: 1 << 20)
    guard let slice = try slices.next() else { throw NoRows() }
    let keys = EventRows(visitors: VisitorTable())
    var statistics = ArrivalStatistics()
    try slice.readKeys(into: keys, statistics: &statistics)
    ingested += rows
    return (slice, keys)
  }

  /// As if what came after so many rows had never been in Bronze.
  func forget(from count: Int) { ingested.removeSubrange(count...) }

  struct NoRows: Error {}

  static func columns(_ rows: [BronzeEvent], _ schema: StructType) throws -> [ColumnBuffer] {
    let buffers = try EventsSchema.buffers(schema)
    for (field, buffer) in zip(schema.fields, buffers) {
      for row in rows { append(row, field.name, to: buffer) }
    }
    return buffers
  }

  private static func append(_ row: BronzeEvent, _ column: String, to buffer: ColumnBuffer) {
    let text: String?
    switch column {
    case "event_id": text = row.id
    case "customer_id": text = row.customer
    case "event_type": text = row.type
    case "session_id": text = row.session
    case "page": text = "/"
    case "kafka_topic": text = "clickstream-events"
    case "event_ts": return (buffer as? Int64Column)?.append(row.time) ?? ()
    case "kafka_partition": return (buffer as? Int32Column)?.append(row.partition) ?? ()
    case "kafka_offset": return (buffer as? Int64Column)?.append(row.offset) ?? ()
    case "ingested_at": return (buffer as? Int64Column)?.append(row.ingestedAt) ?? ()
    default: return buffer.appendNull()
    }
    if let text { (buffer as? ByteArrayColumn)?.append(text) } else { buffer.appendNull() }
  }

  // MARK: Batches

  func begin() -> EventsBatch {
    events.begin(
      batchPrefix: "clickstream_silver-\(batch)", timestampMs: Self.now / 1000 + Int64(batch))
  }

  /// One batch of some slices, committed.
  @discardableResult
  func ingest(_ slices: [BronzeEvent]..., lateBefore: Int64 = .min) throws -> Outcome {
    let batch = begin()
    var decisions: [Decision] = []
    for rows in slices {
      decisions.append(try step(batch, rows, lateBefore: lateBefore))
    }
    let staged = try batch.finish()
    try commit(staged)
    return Outcome(decisions: decisions, staged: staged)
  }

  struct Outcome {
    var decisions: [Decision]
    var staged: StagedEvents
    var duplicateCount: Int { decisions.reduce(0) { $0 + $1.duplicateCount } }
    var corrections: [Decision.Correction] { decisions.flatMap(\.corrections) }
  }

  @discardableResult
  func step(
    _ batch: EventsBatch, _ rows: [BronzeEvent], lateBefore: Int64 = .min
  ) throws -> Decision {
    let (slice, keys) = try slice(rows)
    let decision = try batch.decide(keys, slice)
    try batch.write(slice, keys, survivors: decision.survivors, lateBefore: lateBefore)
    return decision
  }

  func commit(_ staged: StagedEvents) throws {
    let table = events.table
    let result = try table.commit(
      staged.removes.map(Action.remove) + staged.adds.map(Action.add),
      info: CommitInfo(
        timestamp: 0, operation: "WRITE", isBlindAppend: staged.removes.isEmpty,
        engineInfo: "test/1"),
      expecting: table.snapshot.version, publisher: publisher, role: .tableCommit)
    guard case .committed = result else { throw NoRows() }
    try events.apply(adds: staged.adds, removes: staged.removes)
    batch += 1
  }

  /// As after a restart.
  func reopen(cacheFrom time: Int64 = now - 1_000_000) throws {
    guard let table = try DeltaTable.open(path: events.table.path) else { throw NoRows() }
    events = EventsTable(table: table, configuration: configuration, publisher: publisher)
    try events.reload()
    try events.prepareCache(from: time, newest: Self.now)
  }

  // MARK: What is stored

  /// The rows of the table, by the columns that `BronzeEvent` has.
  func stored() throws -> [BronzeEvent] {
    guard let table = try DeltaTable.open(path: events.table.path) else { throw NoRows() }
    return try table.liveFiles().flatMap { try rows(of: $0, table) }
  }

  func rows(of file: AddFile, _ table: DeltaTable) throws -> [BronzeEvent] {
    let reader = try table.openFile(file)
    return try (0..<reader.rowGroupCount).flatMap { group in
      let rows = StoredRows(
        reader, rowGroup: group, schema: table.snapshot.schema, file: file.path)
      func text(_ column: String, _ row: Int) throws -> String? {
        try rows.column(column).withBytes(row) { String(decoding: $0, as: UTF8.self) }
      }
      func number(_ column: String, _ row: Int) throws -> Int64 {
        try rows.column(column).integer(row) ?? -1
      }
      return try (0..<rows.rowCount).map { row in
        BronzeEvent(
          id: try text("event_id", row) ?? "", customer: try text("customer_id", row),
          session: try text("session_id", row) ?? "", type: try text("event_type", row) ?? "",
          time: try number("event_ts", row), ingestedAt: try number("ingested_at", row),
          partition: Int32(try number("kafka_partition", row)),
          offset: try number("kafka_offset", row))
      }
    }
  }

  /// Whether the table holds exactly the unique ones of all events.
  func isExact() throws -> Bool {
    let rows = try stored()
    return Set(rows) == BronzeEvent.unique(ingested) && Set(rows).count == rows.count
  }

  func remove(_ dataFile: String) throws { try Files.remove("\(events.table.path)/\(dataFile)") }

  func dataFiles() throws -> [String] {
    try Files.list(events.table.path).filter { $0.hasSuffix(".parquet") }
  }
}
