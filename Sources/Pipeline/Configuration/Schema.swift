/// Every key of the file, once.
///
/// Loading, the hints for misspelt keys, the errors' ranges and defaults, the manual and the test
/// of the shipped file all come from these rows.
package enum Schema {
  package static let settings =
    kafka + security + schedule + limits + silver + storage + upkeep + control + onFailure

  /// Tables whose keys are not fixed: read by rules of their own.
  static let passThroughTable = "kafka.librdkafka"
  static let columnsTable = "columns"

  /// All tables by their dotted paths.
  static let tables: [String] = {
    var tables: [String] = []
    for setting in settings where tables.last != String(setting.table) {
      tables.append(String(setting.table))
    }
    return tables + [passThroughTable, columnsTable]
  }()

  static func setting(_ path: String) -> Setting? { settings.first { $0.path == path } }

  private static let patience = Duration.seconds(1)...Duration.seconds(600)
  private static let day = Duration.seconds(86_400)

  private static let kafka: [Setting] = [
    Setting(
      path: "kafka.brokers", expectation: ValueForm.brokers.expectation, defaultText: nil,
      summary: "Where the cluster is asked for its members.",
      assign: { value, configuration in
        guard let brokers = ValueForm.brokers.read(value) else { return false }
        configuration.kafka.brokers = brokers
        return true
      }),
    .always("kafka.topic", \.kafka.topic, .topic, "The topic with the click events."),
    Setting(
      path: "kafka.starting_offsets", expectation: StartingOffsetsForm.expectation,
      defaultText: "\"earliest\"",
      summary: "Where the very first run begins; later runs begin where the checkpoint says.",
      assign: { value, configuration in
        guard let offsets = StartingOffsetsForm.read(value) else { return false }
        configuration.kafka.startingOffsets = offsets
        return true
      }),
    .always(
      "kafka.client_id", \.kafka.clientID, .anyText,
      "The name that the brokers' logs and quotas know us by."),
    .always(
      "kafka.connect_timeout", \.kafka.connectTimeout, .duration(patience),
      "How long a run waits for the brokers before it gives up until the next one."),
    .always(
      "kafka.stall_timeout", \.kafka.stallTimeout, .duration(patience),
      "How long one partition may make no progress while records are waiting in it."),
    .optional(
      "kafka.mirror_group", \.kafka.mirrorGroup, .anyText,
      "A consumer group into which the offsets of committed batches are copied."),
  ]

  private static let security: [Setting] = [
    .always(
      "kafka.security.protocol", \.kafka.security.securityProtocol, .choice,
      "How the brokers are reached."),
    .always(
      "kafka.security.mechanism", \.kafka.security.mechanism, .choice,
      "How SASL proves who we are."),
    .optional(
      "kafka.security.username", \.kafka.security.username, .anyText, "The SASL user."),
    .optional(
      "kafka.security.password_credential", \.kafka.security.passwordCredential, .credential,
      "The systemd credential that holds the SASL password."),
    .secret(
      "kafka.security.password", \.kafka.security.password, .anyText,
      "The SASL password itself, in a file that only its readers may read."),
    .optional(
      "kafka.security.ca_file", \.kafka.security.caFile, .absolutePath,
      "The certificates that brokers are checked against; the system's when absent."),
    .optional(
      "kafka.security.certificate_file", \.kafka.security.certificateFile, .absolutePath,
      "Our own certificate, for brokers that ask for one."),
    .optional(
      "kafka.security.key_file", \.kafka.security.keyFile, .absolutePath,
      "The private key of our certificate."),
    .optional(
      "kafka.security.key_credential", \.kafka.security.keyCredential, .credential,
      "The systemd credential that holds the private key."),
  ]

  private static let schedule: [Setting] = [
    .always(
      "schedule.every", \.schedule.every, .duration(.seconds(1)...day * 7),
      "The time from one run's start to the next one's; runs never overlap."),
    .optional(
      "schedule.calendar", \.schedule.calendar, .calendar,
      "The times at which runs start, in the place of \"every\"."),
    .always(
      "schedule.jitter", \.schedule.jitter, .duration(.zero...day),
      "Each start is put off by a random part of this."),
    .always(
      "schedule.run_at_start", \.schedule.runAtStart, .boolean,
      "Whether the first run starts with the service."),
    .always(
      "schedule.run_timeout", \.schedule.runTimeout, .duration(.seconds(10)...day * 7),
      "After this a run ends behind its current batch; the next one takes up the rest."),
    .always(
      "schedule.max_backoff", \.schedule.maxBackoff, .duration(.seconds(1)...(.seconds(3600))),
      "A failed run is tried again after a pause that doubles each time, up to this."),
  ]

  private static let limits: [Setting] = [
    .always(
      "limits.max_offsets_per_batch", \.limits.maxOffsetsPerBatch, .integer(1...1_000_000_000),
      "At most this many offsets are in one batch, over all partitions."),
    .always(
      "limits.max_batch_bytes", \.limits.maxBatchBytes, .size((1 << 20)...(64 << 30)),
      "Batches are planned to hold about this many bytes of records."),
    .always(
      "limits.fetch_memory", \.limits.fetchBytes, .size((1 << 20)...(2047 << 20)),
      "Memory for records that are fetched and not yet taken."),
    .always(
      "limits.max_value", \.limits.maxValueBytes, .size(1024...(512 << 20)),
      "A larger record is a dead letter with the reason too_large."),
    .always(
      "limits.max_json_depth", \.limits.maxJSONDepth, .integer(1...1024),
      "A deeper record is a dead letter with the reason too_deep."),
  ]

  private static let silver: [Setting] = [
    .always(
      "silver.enabled", \.silver.isEnabled, .boolean,
      "Whether runs keep the sessions and the unique events."),
    .always(
      "silver.session_gap", \.silver.sessionGap, .duration(.seconds(1)...day),
      "A longer pause than this ends a visitor's session."),
    .always(
      "silver.allowed_lateness", \.silver.allowedLateness, .duration(.zero...day * 7),
      "How far the watermark stays behind the newest event."),
    .always(
      "silver.max_rows_per_batch", \.silver.maxRowsPerBatch, .integer(1...1_000_000_000),
      "A batch takes whole versions of Bronze until it has this many rows."),
    .always(
      "silver.max_batch_bytes", \.silver.maxBatchBytes, .size((1 << 20)...(64 << 30)),
      "A batch takes whole versions of Bronze until their files have this size."),
    .always(
      "silver.duplicate_cache_events", \.silver.duplicateCacheEvents,
      .integer(1000...100_000_000),
      "How many of the newest events are known in memory when duplicates are looked for."),
    .always(
      "silver.rows_in_memory", \.silver.rowsInMemory, .integer(1...10_000_000),
      "So many rows of a batch are worked on together."),
    .always(
      "silver.sessions_in_memory", \.silver.sessionsInMemory, .integer(1...100_000_000),
      "A batch with more sessions moves those that are hardly touched any more to disk."),
    .always(
      "silver.removed_file_retention", \.silver.removedFileRetention,
      .duration(.zero...day * 365),
      "How long files that the sessions table no longer names stay for its readers."),
  ]

  private static let storage: [Setting] = [
    .always(
      "storage.state_directory", \.storage.stateDirectory, .absolutePath,
      "Tables, checkpoints and the lock are below this directory."),
    .always(
      "storage.compression", \.storage.compression, .choice, "How data files are compressed."),
    .always(
      "storage.file_size", \.storage.targetFileBytes, .size((1 << 20)...(4 << 30)),
      "A data file that has reached this size is closed and the next one begun."),
    .always(
      "storage.row_group_size", \.storage.rowGroupBytes, .size((1 << 20)...(256 << 20)),
      "Rows are collected in memory up to this size, then written as one row group."),
    .always(
      "storage.min_free", \.storage.minFreeBytes, .size(0...(1 << 40)),
      "No run starts while the file system has less free space than this."),
  ]

  private static let upkeep: [Setting] = [
    .always(
      "loss.on_missing_data", \.loss.onMissingData, .choice,
      "What to do when Kafka no longer has what the checkpoint needs."),
    .always(
      "delta.checkpoint_interval", \.delta.checkpointInterval, .integer(2...10_000),
      "Commits between two checkpoints of a table's log."),
    .always(
      "delta.log_retention", \.delta.logRetention, .duration(.seconds(3600)...day * 3650),
      "How long log entries that a checkpoint replaces are kept."),
    .always(
      "log.level", \.log.level, .choice(LogLevel.allCases, name: \.name),
      "The least urgent lines that are still written."),
  ]

  private static let control: [Setting] = [
    .optional(
      "control.socket", \.control.socket, .socketPath,
      "Where shopmetricsctl finds the running daemon.")
  ]

  private static let onFailure: [Setting] = [
    .always(
      "on_failure.exec", \.onFailure.exec, .command,
      "The program that is called with the failure as JSON on its standard input."),
    .secret(
      "on_failure.webhook", \.onFailure.webhook, .webAddress,
      "Where the same JSON is posted to."),
    .optional(
      "on_failure.webhook_credential", \.onFailure.webhookCredential, .credential,
      "The systemd credential that holds the webhook's URL."),
    .always(
      "on_failure.after", \.onFailure.after, .integer(1...1000),
      "So many runs must fail in a row before somebody is told."),
    .optional(
      "on_failure.no_success_for", \.onFailure.noSuccessFor,
      .duration(.seconds(1)...day * 30),
      "So long without a successful run is a failure too."),
  ]
}
