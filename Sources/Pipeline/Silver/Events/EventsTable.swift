internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Parquet

/// `silver.clickstream_events`: every unique event, and how a new one is told from a stored one.
///
/// Newer events are known by their fingerprints in memory; older ones are looked up in the files
/// whose statistics admit their time. Belongs to one thread.
final class EventsTable {
  let table: DeltaTable
  let configuration: Configuration
  let publisher: Publisher
  /// The fingerprints of the newest stored events, those of a batch that is being written included.
  let cache: FingerprintCache
  /// The live files by their path in the log, and the version of the table that they are of.
  private(set) var files: [String: EventFile] = [:]
  private(set) var indexedVersion: Int64 = -1

  /// The index and the cache are empty until `reload` and `prepareCache`.
  init(table: DeltaTable, configuration: Configuration, publisher: Publisher) {
    self.table = table
    self.configuration = configuration
    self.publisher = publisher
    cache = FingerprintCache(capacity: configuration.silver.duplicateCacheEvents)
  }

  /// Reads the list of live files anew.
  ///
  /// Memory grows with their number, which compaction bounds.
  /// - Throws: `DeltaError` for a damaged log.
  func reload() throws {
    var found: [String: EventFile] = [:]
    try table.forEachLiveFile(restart: { found = [:] }) { found[$0.path] = EventFile($0) }
    files = found
    indexedVersion = table.snapshot.version
  }

  /// Fills the cache from the table, newest events first, so that it knows every stored event from
  /// `time` on, or as many of the newest as it has room for.
  ///
  /// Reads only row groups that can hold such times.
  /// - Parameters:
  ///   - time: microseconds since 1970.
  ///   - newest: the newest event time that is not in the future; what is far behind it is the
  ///     first to go when there is no room.
  /// - Throws: `ParquetError`, `TABLE_DAMAGED`; the cache then covers nothing.
  func prepareCache(from time: Int64, newest: Int64) throws {
    let count = files.values.reduce(Int64(0)) {
      $1.times.upperBound >= time ? $0.clampedAdding($1.rowCount ?? 0) : $0
    }
    cache.reset(coveringFrom: time, newest: newest, expecting: Int(clamping: count))
    do {
      for file in files.values.sorted(by: EventFile.isNewer) where cache.covers(file.times) {
        try addFingerprints(of: file)
      }
    } catch {
      cache.reset(coveringFrom: .max)
      throw error
    }
  }

  private func addFingerprints(of file: EventFile) throws {
    let reader = try table.openFile(file.add)
    let groups = (0..<reader.rowGroupCount).map { rows(of: file, reader, rowGroup: $0) }
    for group in groups.sorted(by: { $0.times.upperBound > $1.times.upperBound })
    where cache.covers(group.times) {
      let keys = try StoredKeys(group)
      var times: [Int64] = []
      var fingerprints: [UInt64] = []
      times.reserveCapacity(group.rowCount)
      fingerprints.reserveCapacity(group.rowCount)
      for row in 0..<group.rowCount {
        guard let time = keys.time(row), EventRows.representableTimes.contains(time),
          let visitor = keys.withVisitor(row, EventHash.of),
          let eventID = keys.withEventID(row, EventHash.of)
        else { continue }
        times.append(time)
        fingerprints.append(
          EventHash.fingerprint(visitorHash: visitor, time: time, eventIDHash: eventID))
      }
      cache.insert(times: times, fingerprints: fingerprints)
      group.forgetColumns()
    }
  }

  /// Takes over what was just committed.
  ///
  /// An append may have found another version than the indexed one before it; then it reads anew.
  /// - Throws: `DeltaError` for a damaged log.
  func apply(adds: [AddFile], removes: [RemoveFile]) throws {
    guard table.snapshot.version == indexedVersion + 1 else { return try reload() }
    for file in removes { files[file.path] = nil }
    for file in adds { files[file.path] = EventFile(file) }
    indexedVersion += 1
  }

  /// Begins a batch.
  ///
  /// - Parameters:
  ///   - batchPrefix: begins the names of its files, such as `clickstream_silver-00000012`.
  ///   - timestampMs: the batch's, in milliseconds since 1970.
  func begin(batchPrefix: String, timestampMs: Int64) -> EventsBatch {
    EventsBatch(self, batchPrefix: batchPrefix, timestampMs: timestampMs)
  }

  /// Where rows of one kind go.
  ///
  /// - Parameters:
  ///   - prefix: begins the names of the files.
  ///   - isSorted: the rows of slices are to be sorted by time.
  ///   - isAside: they are of other times than their batch.
  func output(prefix: String, isSorted: Bool, isAside: Bool) throws -> EventsOutput {
    let schema = table.snapshot.schema
    let target = DataFileWriter.Target(
      tablePath: table.path, schema: schema, options: configuration.writerOptions,
      fileBytes: Int(configuration.storage.targetFileBytes))
    let publisher = publisher
    return EventsOutput(
      schema, buffers: try EventsSchema.buffers(schema), isSorted: isSorted, isAside: isAside,
      rowGroupBytes: configuration.storage.rowGroupBytes
    ) {
      DataFileWriter(target, publisher: publisher, role: .eventsData, namePrefix: prefix)
    }
  }

  func rows(of file: EventFile, _ reader: FileReader, rowGroup: Int) -> StoredRows {
    StoredRows(
      reader, rowGroup: rowGroup, schema: table.snapshot.schema,
      file: "\(table.path)/\(file.add.filePath)")
  }
}

extension EventFile {
  fileprivate static func isNewer(_ left: EventFile, _ right: EventFile) -> Bool {
    (left.times.upperBound, left.add.path) > (right.times.upperBound, right.add.path)
  }
}

extension FingerprintCache {
  /// Whether it is to know events of these times.
  fileprivate func covers(_ times: ClosedRange<Int64>) -> Bool {
    times.upperBound >= lowerBound && times.lowerBound < upperBound
  }
}
