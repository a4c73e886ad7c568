package import Clickstream
package import Systemd

/// Everything an operator can decide, as read from `/etc/shopmetrics.toml`.
///
/// A value of this type is complete and consistent: `ConfigurationFile.load(path:)` is the only
/// way from a file to it and reports every problem of the file instead of returning a part.
/// `Configuration(brokers:)` gives the defaults, which are the ones the shipped file documents.
package struct Configuration: Equatable, Sendable {
  package var kafka: KafkaSettings
  package var schedule = ScheduleSettings()
  package var limits = LimitSettings()
  package var silver = SilverSettings()
  package var storage = StorageSettings()
  package var loss = LossSettings()
  package var delta = DeltaSettings()
  package var log = LogSettings()
  package var control = ControlSettings()
  package var onFailure = FailureSettings()
  /// `[[columns]]`: what Bronze has beyond its own columns, in the order of the file.
  package var columns: [DeclaredColumn] = []

  /// The defaults; only the brokers have none.
  package init(brokers: [String]) {
    kafka = KafkaSettings(brokers: brokers)
  }

  /// Where tables, checkpoints and the lock are, all derived from one state directory.
  package var paths: StatePaths { StatePaths(stateDirectory: storage.stateDirectory) }

  /// Where the daemon answers: as set, else in the service's runtime directory, else (a daemon
  /// of somebody's own) beside its state.
  package var controlSocketPath: String {
    if let socket = control.socket { return socket }
    return storage.stateDirectory == StorageSettings().stateDirectory
      ? "/run/shopmetrics/control" : storage.stateDirectory + "/control"
  }

  /// How long no run may have succeeded before somebody is told.
  package var successDeadline: Duration {
    if let given = onFailure.noSuccessFor { return given }
    return schedule.calendar == nil
      ? max(schedule.every * 3, .seconds(15 * 60)) : .seconds(86_400)
  }

  /// The calendar from whose next start on `successDeadline` is counted.
  ///
  /// Nothing is missed in its pauses, such as a weekend. `nil`: it is counted from the last success.
  package var successCalendar: CalendarExpression? {
    onFailure.noSuccessFor == nil ? schedule.calendar : nil
  }
}

/// `[kafka]`: which topic, from which brokers, and with what patience.
package struct KafkaSettings: Equatable, Sendable {
  /// `host:port`, in the order of the file.
  package var brokers: [String]
  package var topic = "clickstream-events"
  package var startingOffsets = StartingOffsets.earliest
  package var clientID = "shopmetricsd"
  package var connectTimeout = Duration.seconds(30)
  /// How long one partition may make no progress while records are waiting in it.
  package var stallTimeout = Duration.seconds(30)
  /// A consumer group into which the offsets of committed batches are copied, for the tools that
  /// look at groups; nothing here ever reads it.
  package var mirrorGroup: String?
  package var security = SecuritySettings()
  /// `[kafka.librdkafka]`, in the order of the file, checked against the linked library.
  package var properties: [LibrdkafkaProperty] = []
}

/// One pass-through property of `[kafka.librdkafka]`.
package struct LibrdkafkaProperty: Equatable, Sendable {
  package var name: String
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// Where the very first run begins; later runs begin where the checkpoint says.
package enum StartingOffsets: Equatable, Sendable, CustomStringConvertible {
  case earliest
  case latest
  /// The first record whose timestamp is at or after this one; milliseconds since the epoch.
  case timestamp(milliseconds: Int64)
  /// An offset for each partition; -2 is that partition's earliest, -1 its latest (as in Spark).
  case offsets([Int32: Int64])

  /// Completes the sentence "starts at …".
  package var description: String {
    switch self {
    case .earliest: "the earliest offsets"
    case .latest: "the latest offsets"
    case .timestamp(let milliseconds): "the time \(EventTime.format(milliseconds * 1000))"
    case .offsets(let offsets): "the given offsets of \(offsets.count) partitions"
    }
  }
}

/// `[kafka.security]`: how the brokers are reached and who we are to them.
package struct SecuritySettings: Equatable, Sendable {
  package enum SecurityProtocol: String, CaseIterable, Sendable {
    case plaintext, ssl
    case saslPlaintext = "sasl_plaintext"
    case saslSSL = "sasl_ssl"
  }

  package enum Mechanism: String, CaseIterable, Sendable {
    case plain = "PLAIN"
    case scramSHA256 = "SCRAM-SHA-256"
    case scramSHA512 = "SCRAM-SHA-512"
  }

  package var securityProtocol = SecurityProtocol.plaintext
  package var mechanism = Mechanism.scramSHA512
  package var username: String?
  /// Given in the file, or read from the credential that `passwordCredential` names.
  package var password: Secret?
  package var passwordCredential: String?
  package var caFile: String?
  package var certificateFile: String?
  /// The private key's file, given by path or resolved from a systemd credential.
  package var keyFile: String?
  package var keyCredential: String?

  package init() {}
}

/// A value that prints as `***`: no log line, error text or status can show it by accident.
package struct Secret: Equatable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  /// The secret itself, for the one call that hands it to the client library.
  package let exposedValue: String

  package init(_ value: String) { exposedValue = value }

  package var description: String { "***" }
  package var debugDescription: String { "***" }
}

/// `[schedule]`: when runs start and how long one may take.
package struct ScheduleSettings: Equatable, Sendable {
  package var every = Duration.seconds(300)
  /// The times at which runs start, in the place of `every`.
  package var calendar: CalendarExpression?
  /// Each start is put off by a random part of this, so that many hosts do not start as one.
  package var jitter = Duration.zero
  /// Whether the first run starts with the service instead of at the first tick.
  package var runAtStart = true
  /// After this a run ends behind its current batch; the next run takes up the rest.
  package var runTimeout = Duration.seconds(3600)
  /// A failed run is tried again after a growing pause, at most this long.
  package var maxBackoff = Duration.seconds(60)

  package init() {}
}

/// `[limits]`: what bounds a batch, a record and the memory.
package struct LimitSettings: Equatable, Sendable {
  package var maxOffsetsPerBatch: Int64 = 1_000_000
  package var maxBatchBytes: Int64 = 256 << 20
  /// Memory that the Kafka client may hold in fetched and not yet taken records.
  package var fetchBytes = 16 << 20
  /// A larger value is a dead letter with the reason `too_large`.
  package var maxValueBytes = 16 << 20
  /// A deeper value is a dead letter with the reason `too_deep`.
  package var maxJSONDepth = 1024

  package init() {}
}

/// `[silver]`: how Bronze becomes sessions and unique events.
package struct SilverSettings: Equatable, Sendable {
  /// Whether runs keep the Silver tables at all.
  package var isEnabled = true
  /// A longer pause than this ends a visitor's session.
  package var sessionGap = Duration.seconds(30 * 60)
  /// How far behind the newest event the watermark stays.
  package var allowedLateness = Duration.seconds(10 * 60)
  /// A batch takes whole Bronze versions until it has so many rows or bytes, and at least one.
  package var maxRowsPerBatch: Int64 = 1_000_000
  package var maxBatchBytes: Int64 = 256 << 20
  /// How many of the newest events are known by fingerprint; older ones are looked up in files.
  package var duplicateCacheEvents = 2_000_000
  /// So many rows are worked on together: their keys take about 45 bytes each, and what is made
  /// of them as much again.
  package var rowsInMemory = 262_144
  /// A batch with more sessions than this moves those that are hardly touched any more to disk.
  package var sessionsInMemory = 200_000
  /// How long removed files of the sessions table stay for readers of older versions.
  package var removedFileRetention = Duration.seconds(3600)

  package init() {}
}

/// `[storage]`: where the state is and how data files are written.
package struct StorageSettings: Equatable, Sendable {
  package enum Compression: String, CaseIterable, Sendable {
    case zstd, snappy, none
  }

  package var stateDirectory = "/var/lib/shopmetrics"
  package var compression = Compression.zstd
  /// A data file that has reached this size is closed and the next one begun.
  package var targetFileBytes: Int64 = 128 << 20
  /// Column buffers are written out as a row group when they hold this much.
  package var rowGroupBytes = 16 << 20
  /// No run starts while the state directory's file system has less free space than this.
  package var minFreeBytes: Int64 = 256 << 20

  package init() {}
}

/// `[loss]`: what happens when Kafka no longer has what the checkpoint needs.
package struct LossSettings: Equatable, Sendable {
  package enum OnMissingData: String, CaseIterable, Sendable {
    /// End the run by name; nothing is written, the operator decides.
    case stop
    /// Write one `data_loss` row into the dead letters for each lost range and go on.
    case `continue`
  }

  package var onMissingData = OnMissingData.stop

  package init() {}
}

/// `[delta]`: upkeep of the tables' logs.
package struct DeltaSettings: Equatable, Sendable {
  /// Commits between two Parquet checkpoints of a table's log.
  package var checkpointInterval: Int64 = 10
  /// How long log entries that a checkpoint has made superfluous are kept.
  package var logRetention = Duration.seconds(30 * 86_400)

  package init() {}
}

/// `[log]`: how much is said.
package struct LogSettings: Equatable, Sendable {
  package var level = LogLevel.info

  package init() {}
}

/// `[control]`: where a running daemon is asked and told things.
package struct ControlSettings: Equatable, Sendable {
  /// `nil`: see `Configuration.controlSocketPath`.
  package var socket: String?

  package init() {}
}

/// `[on_failure]`: whom to tell when runs fail, or none has succeeded for too long.
package struct FailureSettings: Equatable, Sendable {
  /// A program's absolute path and its arguments; empty for none.
  package var exec: [String] = []
  /// An http or https URL, which often holds a token; given in the file, or read from the
  /// credential that `webhookCredential` names.
  package var webhook: Secret?
  package var webhookCredential: String?
  /// So many runs must fail in a row.
  package var after = 1
  /// `nil`: see `Configuration.successDeadline`.
  package var noSuccessFor: Duration?

  package init() {}
}

/// Severity of a log line; the raw value is the priority of syslog(3) that journald filters by.
package enum LogLevel: Int, CaseIterable, Comparable, Sendable {
  /// An operator is needed.
  case error = 3
  /// Handled, but worth a look.
  case warning = 4
  /// The summary of a run.
  case notice = 5
  /// A batch.
  case info = 6
  case debug = 7

  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

  /// The name in the configuration file.
  package var name: String {
    switch self {
    case .error: "error"
    case .warning: "warning"
    case .notice: "notice"
    case .info: "info"
    case .debug: "debug"
    }
  }
}

/// The layout below the state directory: fixed names, so that one setting moves all of it.
package struct StatePaths: Equatable, Sendable {
  package let stateDirectory: String

  package init(stateDirectory: String) { self.stateDirectory = stateDirectory }

  /// The file whose flock(2) says who the one writer is.
  package var lock: String { stateDirectory + "/lock" }
  package var bronze: String { stateDirectory + "/bronze/clickstream_raw" }
  package var deadLetter: String { stateDirectory + "/bronze/clickstream_dead_letter" }
  package var checkpoints: String { stateDirectory + "/checkpoints" }
  package var bronzeCheckpoint: String { checkpoints + "/clickstream_bronze" }
  /// Where another checkpoint is made, or a copy of one; gone when it is done.
  package var checkpointWork: String { checkpoints + "/.work" }
  package var sessions: String { stateDirectory + "/silver/clickstream_sessions" }
  package var events: String { stateDirectory + "/silver/clickstream_events" }
  /// Where `silver rebuild` works; gone when it is done.
  package var silverRebuild: String { stateDirectory + "/silver/.rebuild" }
  package var silverCheckpoint: String { checkpoints + "/clickstream_silver" }
}
