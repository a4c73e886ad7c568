internal import Clickstream
internal import DeltaLake
package import DurableIO
internal import StreamCheckpoint

/// The streaming query "clickstream_silver": Bronze to sessions and unique events.
///
/// It needs no Kafka. An instance belongs to one thread and lives as long as the daemon: between
/// runs it keeps what the checkpoint and the tables say and the open sessions, so that the cost of
/// a run depends on what is new.
package final class SilverQuery {
  package static let name = "clickstream_silver"

  let configuration: Configuration
  let paths: SilverPaths
  let publisher: Publisher
  let checkpoint: CheckpointDirectory
  let source: BronzeSource
  let log: Log
  /// Whether a new stream begins with Bronze's newest snapshot instead of its oldest commit.
  let beginsWithSnapshot: Bool

  /// What the files said, or what this process has written since; `nil` before `recover()`.
  var state: State?
  var sessions: SessionsTable?
  var events: EventsTable?
  /// The open sessions as the hot files hold them; `nil` when they must be read again.
  var openSessions: SessionSet?
  /// When this process last removed old files of the events table, milliseconds since 1970.
  var lastEventsVacuum: Int64 = 0

  /// The stream's position.
  struct State {
    var queryID: String?
    /// The next batch's id.
    var nextBatch: Int64 = 0
    /// The end of the last batch; `nil` before there was one.
    var position: DeltaSourceOffset?
    var conf = OffsetLogEntry.newCheckpointConf
    var lastTimestampMs: Int64 = 0
    /// The watermark of the last batch, and the one it left for the next, milliseconds.
    var watermarkMs: Int64 = 0
    var nextWatermarkMs: Int64 = 0
    /// The newest event time seen, cut at its arrival; microseconds.
    var newestEvent = Int64.min
    /// Sessions that begin later are in the parked files; `nil` before there are any.
    var parkedAfter: Int64?
    var total = SilverAccounting.Rows()
    /// A batch that is logged but not in the tables: to be worked through again, exactly.
    var pending: OffsetLogEntry?
    /// Bronze was read up to here and held no rows behind `position`.
    var passedOver: DeltaSourceOffset?
  }

  package init(
    configuration: Configuration, paths: SilverPaths, beginsWithSnapshot: Bool = false,
    lock: InstanceLock, log: Log
  ) {
    self.configuration = configuration
    self.paths = paths
    self.beginsWithSnapshot = beginsWithSnapshot
    self.log = log
    publisher = Publisher(lock: lock, log: log)
    checkpoint = CheckpointDirectory(path: paths.checkpoint, publisher: publisher)
    source = BronzeSource(path: configuration.paths.bronze, log: log)
  }

  /// The newest complete batch; `nil` before the first one, or before `recover()`.
  package var lastBatch: Int64? {
    guard let state, state.nextBatch > 0 else { return nil }
    return state.nextBatch - 1
  }

  /// A pause longer than this ends a session; microseconds.
  var gap: Int64 { configuration.silver.sessionGap.wholeMilliseconds * 1000 }

  var watermark: Watermark {
    Watermark(latenessMs: configuration.silver.allowedLateness.wholeMilliseconds)
  }

  /// The query after an error: the next run reads checkpoint and tables again.
  func forgetState() {
    state = nil
    sessions = nil
    events = nil
    openSessions = nil
  }

  /// The oldest Bronze version that the checkpoint still reads: that of the last batch but one,
  /// which Spark asks for when it takes the query over.
  ///
  /// Reads the checkpoint, so that it also holds while Silver is switched off.
  /// - Returns: `nil` when no batch was ever planned.
  func oldestVersionNeeded() throws -> Int64? {
    guard let newest = try checkpoint.offsetLog.batchIDs().last else { return nil }
    let oldest = max(0, newest - 2)
    for id in oldest...newest {
      guard let entry = try checkpoint.offsets(id) else { continue }
      let offset = try sourceOffset(entry, id)
      return id == 0 ? 0 : offset.version
    }
    return 0
  }

  /// The one source offset of a file of `offsets/`.
  func sourceOffset(_ entry: OffsetLogEntry, _ id: Int64) throws -> DeltaSourceOffset {
    let path = "\(checkpoint.offsetLog.directory)/\(id)"
    guard entry.sources.count == 1, let text = entry.sources[0] else {
      throw CheckpointError(
        path: path, field: "line 3", expected: "the offset of one Delta source",
        found: "\(entry.sources.count) sources")
    }
    return try DeltaSourceOffset(json: text, path: path)
  }
}
