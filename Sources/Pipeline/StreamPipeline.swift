package import DurableIO

/// Both queries of a state directory, one after the other: Kafka to Bronze, Bronze to Silver.
///
/// An instance belongs to one thread and lives as long as the daemon.
package final class StreamPipeline {
  package let bronze: BronzeQuery
  package let silver: SilverQuery
  private let rebuild: SilverRebuild
  private let configuration: Configuration
  private let log: Log

  package init(configuration: Configuration, lock: InstanceLock, log: Log) {
    let bronze = BronzeQuery(configuration: configuration, lock: lock, log: log)
    let silver = SilverQuery(
      configuration: configuration, paths: .live(configuration.paths), lock: lock, log: log)
    bronze.oldestVersionNeeded = { try silver.oldestVersionNeeded() }
    rebuild = SilverRebuild(configuration: configuration, lock: lock, log: log)
    self.bronze = bronze
    self.silver = silver
    self.log = log
    self.configuration = configuration
  }

  private var isSilverEnabled: Bool { configuration.silver.isEnabled }

  /// Reads checkpoints and tables and finishes what an interrupted run left.
  ///
  /// - Throws: `PipelineError`; the state on disk is as it was, or better.
  package func recover() throws {
    do {
      try bronze.recover()
      _ = try rebuild.finishSwitch()
      if isSilverEnabled { try silver.recover() }
    } catch {
      throw PipelineError.translating(error)
    }
  }

  /// One run: everything that the topic held when it began, then everything that Bronze holds.
  ///
  /// Silver needs no Kafka: when the brokers cannot be used it still takes what Bronze has.
  /// - Throws: `PipelineError` of the first query that failed.
  package func run(_ context: RunContext) throws -> RunReport {
    defer { log.endRun() }
    try FreeSpace.check(configuration.storage, log: log)
    var report = RunReport()
    var failure: PipelineError?
    do {
      report = try bronze.run(context)
    } catch {
      let problem = PipelineError.translating(error)
      guard problem.kind == .unavailable || problem.kind == .source else { throw problem }
      failure = problem
    }
    if isSilverEnabled, !context.stop.isSet {
      let isDrained = failure == nil && !report.wasStopped
      report.silver = try silver.run(context, isDrained: isDrained)
    }
    let isSilverShort = report.silver.map(\.wasStopped) ?? isSilverEnabled
    report.wasStopped = report.wasStopped || isSilverShort
    if let failure { throw failure }
    return report
  }
}
