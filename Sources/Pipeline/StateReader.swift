internal import DeltaLake
internal import DurableIO
internal import JSON
internal import StreamCheckpoint

/// What the files below a state directory say, read without writing anything.
///
/// Works while the daemon runs and while it is down.
package struct StateReader {
  package let paths: StatePaths
  package let queryID: String?
  package let observation: RecoveryObservation
  /// The accounting of the newest batch in the Bronze table, when our own commit holds it.
  package let accounting: BatchAccounting?
  /// The newest logged batch's offsets and time.
  package let newestOffsets: (batch: Int64, offsets: [Int32: Int64], timestampMs: Int64)?
  let bronze: DeltaTable?
  let deadLetters: DeltaTable?
  let checkpoint: CheckpointDirectory

  /// - Throws: `PipelineError` for a file that cannot be read.
  package init(_ configuration: Configuration) throws {
    do {
      paths = configuration.paths
      checkpoint = CheckpointDirectory(
        path: paths.bronzeCheckpoint, publisher: Publisher(lock: nil))
      let id = try checkpoint.queryID()
      queryID = id
      let bronze = try DeltaTable.open(path: paths.bronze)
      let deadLetters = try DeltaTable.open(path: paths.deadLetter)
      self.bronze = bronze
      self.deadLetters = deadLetters
      accounting = try Self.accounting(of: id, in: bronze)
      let offsetIDs = try checkpoint.offsetLog.batchIDs()
      observation = RecoveryObservation(
        offsets: offsetIDs.last, commits: try checkpoint.commitLog.batchIDs().last,
        firstTable: id.flatMap { bronze?.snapshot.transactionVersion(of: $0) },
        secondTable: id.flatMap { deadLetters?.snapshot.transactionVersion(of: $0) },
        carriesSecond: accounting?.second != nil)
      newestOffsets = try Self.newest(checkpoint, offsetIDs.last)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  package var bronzeVersion: Int64? { bronze?.snapshot.version }
  package var deadLetterVersion: Int64? { deadLetters?.snapshot.version }

  /// Files and bytes of a table that are live now.
  package struct TableSize: Equatable, Sendable {
    package var files = 0
    package var bytes: Int64 = 0
  }

  package func bronzeSize() throws -> TableSize { try Self.size(of: bronze) }
  package func deadLetterSize() throws -> TableSize { try Self.size(of: deadLetters) }

  /// The process that holds the state directory; `nil` when none does.
  package func holder() -> Int32? {
    guard (try? Files.exists(paths.lock)) == true else { return nil }
    return InstanceLock.holder(path: paths.lock)
  }

  private static func size(of table: DeltaTable?) throws -> TableSize {
    var size = TableSize()
    for file in try table?.liveFiles() ?? [] {
      size.files += 1
      size.bytes += file.size
    }
    return size
  }

  private static func accounting(
    of queryID: String?, in table: DeltaTable?
  ) throws -> BatchAccounting? {
    guard let queryID, let table,
      let version = table.snapshot.transactionVersion(of: queryID),
      let commit = try table.commitInfo(ofTransaction: queryID, version: version)
    else { return nil }
    return commit.info.shopmetrics.flatMap(BatchAccounting.init)
  }

  private static func newest(
    _ checkpoint: CheckpointDirectory, _ batch: Int64?
  ) throws -> (batch: Int64, offsets: [Int32: Int64], timestampMs: Int64)? {
    guard let batch, let entry = try checkpoint.offsets(batch), let text = entry.sources.first,
      let text
    else { return nil }
    let path = "\(checkpoint.offsetLog.directory)/\(batch)"
    let offsets = try KafkaOffsetsJSON.parse(text, path: path).offsets
    return (batch, offsets, entry.batchTimestampMs)
  }
}
