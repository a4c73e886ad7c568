internal import DeltaLake
package import DurableIO
internal import JSON

/// The query "clickstream_retry": dead letters that the present limits and schema can decode become
/// events.
///
/// A record is a row of exactly one of the two Bronze tables before and after. A retry's one commit
/// point is its commit of the Bronze table, which carries what the dead-letter table gets; between
/// the two commits a reader of both finds the moved records twice, and whoever starts next, daemon
/// or retry, makes the second one. Silver gets the events with the Bronze version that adds them.
///
/// Letters with the reason `data_loss` stand for offsets that nobody has read, and stay.
package final class DeadLetterRetry {
  package static let name = "clickstream_retry"

  /// Of one commit, so that its actions and a reader of its version stay within bounds.
  private static let maxFiles = 1000

  private let pipeline: StreamPipeline
  private let publisher: Publisher
  private let configuration: Configuration
  private let log: Log
  private var outcome = Outcome()

  /// What a retry did.
  package struct Outcome: Equatable, Sendable {
    package var tally = LetterTally()
    package var commits = 0
    package var bronzeVersion: Int64?
    package var deadLetterVersion: Int64?
    package var wasStopped = false
  }

  package init(configuration: Configuration, lock: InstanceLock, log: Log) {
    // As a whole: it knows what Silver's checkpoint still needs of Bronze's log.
    pipeline = StreamPipeline(configuration: configuration, lock: lock, log: log)
    publisher = Publisher(lock: lock, log: log)
    self.configuration = configuration
    self.log = log
  }

  /// Decodes the chosen letters again and moves those that are events now.
  ///
  /// Each commit is complete in itself; a stop or an error leaves the letters that were not reached
  /// where they are.
  /// - Throws: `PipelineError`; what was committed stays, a commit that was cut off is completed by
  ///   the next start.
  package func execute(
    _ selection: LetterSelection, stop: () -> Bool
  ) throws -> Outcome {
    do {
      try query.recover()
      try work(selection, stop)
      outcome.bronzeVersion = query.bronze?.snapshot.version
      outcome.deadLetterVersion = query.deadLetters?.snapshot.version
      return outcome
    } catch {
      throw PipelineError.translating(error).after(batches: outcome.commits)
    }
  }

  private var query: BronzeQuery { pipeline.bronze }

  private func work(_ selection: LetterSelection, _ stop: () -> Bool) throws {
    guard let letters = query.deadLetters, query.bronze != nil else { return }
    var files = try letters.liveFiles()[...]
    guard !files.isEmpty else { return }
    let tables = try query.prepareTables(clusterID: nil)
    let buffers = try RetryBatch.Buffers(tables)
    while !files.isEmpty, !outcome.wasStopped {
      let number = (tables.bronze.snapshot.transactionVersion(of: Self.name) ?? -1) + 1
      let timestampMs = query.nextTimestamp()
      let batch = RetryBatch(
        tables, number: number, timestampMs: timestampMs, totals: query.state?.totals ?? [:],
        buffers: buffers, decoder: query.decoder, selection)
      let readVersion = tables.deadLetters.snapshot.version
      guard let staged = try stage(batch, &files, stop) else {
        outcome.wasStopped = true
        return
      }
      outcome.tally.add(staged.tally)
      guard staged.tally.changesSomething else { return }
      // From here on nothing is discarded: when it fails, recovery knows what was committed.
      try commit(
        staged, Retry(number: number, timestampMs: timestampMs, selection: selection), tables,
        readVersion: readVersion)
      outcome.commits += 1
      try query.maintain(tables)
    }
  }

  private struct Retry {
    let number: Int64
    let timestampMs: Int64
    let selection: LetterSelection
  }

  /// As many files as one commit may take out; `nil` when a stop dropped them.
  private func stage(
    _ batch: RetryBatch, _ files: inout ArraySlice<AddFile>, _ stop: () -> Bool
  ) throws -> RetryBatch.Staged? {
    do {
      while batch.fileCount < Self.maxFiles,
        batch.byteCount < configuration.limits.maxBatchBytes, let file = files.popFirst()
      {
        guard !stop() else {
          batch.discard()
          return nil
        }
        _ = try batch.add(file)
      }
      return try batch.finish()
    } catch {
      batch.discard()
      throw error
    }
  }

  // MARK: Committing

  private func commit(
    _ staged: RetryBatch.Staged, _ retry: Retry, _ tables: BronzeBatch.Tables, readVersion: Int64
  ) throws {
    let transaction = Action.transaction(
      SetTransaction(
        appID: Self.name, version: retry.number, lastUpdated: retry.timestampMs))
    let removes = staged.removed.map {
      Action.remove($0.removal(at: retry.timestampMs, dataChange: true))
    }
    let carried = removes + staged.letters.map(Action.add) + [transaction]
    let accounting = RetryAccounting(
      number: retry.number, topic: configuration.kafka.topic, partitions: staged.partitions,
      second: BatchAccounting.SecondTable(
        table: "clickstream_dead_letter",
        actions: try carried.map { try JSONValue.parse($0.line) }))
    try checkUnchanged(tables.deadLetters, since: readVersion)
    let result = try tables.bronze.commitAppend(
      [transaction] + staged.events.map(Action.add),
      info: try commitInfo(staged, accounting, retry), publisher: publisher, role: .bronzeCommit)
    guard case .committed = result else {
      throw PipelineError.conflict(result, in: tables.bronze)
    }
    try CarriedCommit(actions: carried, batch: retry.number, origin: .retry)
      .apply(to: tables.deadLetters, publisher: publisher, role: .deadLetterCommit)
    query.state?.lastTimestampMs = retry.timestampMs
    query.state?.totals = accounting.partitions.compactMapValues(\.total)
    log.info(
      "retry \(retry.number): \(RunReport.grouped(staged.tally.good)) dead letters are events now",
      [("table", "clickstream_raw")])
  }

  /// Files that another program took out meanwhile must not be taken out again.
  private func checkUnchanged(_ letters: DeltaTable, since version: Int64) throws {
    try letters.refresh()
    guard letters.snapshot.version == version else {
      throw PipelineError.conflict(
        .conflict(version: letters.snapshot.version, reason: .versionTaken), in: letters)
    }
  }

  private func commitInfo(
    _ staged: RetryBatch.Staged, _ accounting: RetryAccounting, _ retry: Retry
  ) throws -> CommitInfo {
    CommitInfo(
      timestamp: retry.timestampMs, operation: CarriedCommit.Origin.retry.operation,
      operationParameters: [
        "queryId": Self.name, "epochId": String(retry.number), "letters": retry.selection.option,
      ],
      isBlindAppend: true,
      operationMetrics: [
        "numAddedFiles": String(staged.events.count),
        "numOutputRows": String(staged.tally.good),
        "numOutputBytes": String(staged.events.reduce(0) { $0 + $1.size }),
        "numRemovedFiles": "0",
      ],
      engineInfo: ProgramVersion.engineInfo,
      shopmetrics: try JSONValue.parse(accounting.json).objectValue)
  }
}

extension DeadLetterRetry {
  /// What a retry would do now, from the files alone and without writing.
  package struct Preview: Equatable, Sendable {
    package var tally = LetterTally()
    /// Files of letters that would be taken out, their remaining letters written anew.
    package var files = 0
    package var bytes: Int64 = 0
  }

  /// Decodes the chosen letters again; a daemon may be at work meanwhile.
  ///
  /// - Throws: `PipelineError`.
  package static func preview(
    _ selection: LetterSelection, _ configuration: Configuration
  ) throws -> Preview {
    do {
      var preview = Preview()
      guard let letters = try DeltaTable.open(path: configuration.paths.deadLetter) else {
        return preview
      }
      let decoder = configuration.makeDecoder()
      for file in try letters.liveFiles() {
        let tally = try LetterFile(file, of: letters).tally(selection, decoder)
        preview.tally.add(tally)
        guard tally.changesSomething else { continue }
        preview.files += 1
        preview.bytes = preview.bytes.clampedAdding(file.size)
      }
      return preview
    } catch {
      throw PipelineError.translating(error)
    }
  }
}
