internal import Clickstream
internal import DeltaLake
package import DurableIO
internal import Kafka
internal import StreamCheckpoint

/// The streaming query "clickstream_bronze": Kafka to the two Bronze tables.
///
/// An instance belongs to one thread and lives as long as the daemon: between runs it keeps what
/// the checkpoint and the tables say, so that a run without news reads neither.
package final class BronzeQuery {
  package static let name = "clickstream_bronze"

  let configuration: Configuration
  let publisher: Publisher
  let checkpoint: CheckpointDirectory
  let decoder: ClickEventDecoder
  let log: Log

  /// The oldest version of the Bronze table that the checkpoint of another query still reads;
  /// `nil` when none does.
  var oldestVersionNeeded: () throws -> Int64? = { nil }

  var bronze: DeltaTable?
  var deadLetters: DeltaTable?
  /// What the files said, or what this process has written since; `nil` before `recover()`.
  var state: State?

  /// The stream's position.
  struct State {
    var queryID: String?
    /// The next batch's id.
    var nextBatch: Int64 = 0
    /// The end of the last batch; before the first one, where the stream begins.
    var position: [Int32: Int64] = [:]
    /// The partitions as the newest offsets file lists them.
    var order: [Int32]?
    var conf = OffsetLogEntry.newCheckpointConf
    var lastTimestampMs: Int64 = 0
    /// Everything since the stream began.
    var totals: [Int32: PartitionAccount.Total] = [:]
    /// The newest record read from each partition, where one is known.
    var newest: [Int32: RecordProof] = [:]
    /// Mean bytes of a record's value in the last batch that had any.
    var meanValueBytes: Double?
    /// A batch that is logged but not in the tables: to be read again, exactly.
    var pending: OffsetLogEntry?
    /// The version of the Bronze table that holds the newest batch.
    var lastCommitVersion: Int64?
    var hasInitialOffsets = false
  }

  package init(configuration: Configuration, lock: InstanceLock, log: Log) {
    self.configuration = configuration
    self.log = log
    publisher = Publisher(lock: lock, log: log)
    checkpoint = CheckpointDirectory(
      path: configuration.paths.bronzeCheckpoint, publisher: publisher)
    decoder = configuration.makeDecoder()
  }

  /// The newest complete batch; `nil` before the first one, or before `recover()`.
  package var lastBatch: Int64? {
    guard let state, state.nextBatch > 0 else { return nil }
    return state.nextBatch - 1
  }

  /// The query after `error`: the next run reads checkpoint and tables again.
  func forgetState() {
    state = nil
    bronze = nil
    deadLetters = nil
  }
}

extension Configuration {
  /// A decoder for the columns and within the limits that are configured.
  func makeDecoder() -> ClickEventDecoder {
    ClickEventDecoder(
      declaredColumns: columns,
      limits: DecodeLimits(
        maxValueBytes: limits.maxValueBytes, maxDepth: limits.maxJSONDepth))
  }
}
