internal import DeltaLake
internal import DurableIO
internal import JSON
internal import Kafka
internal import Parquet
internal import StreamCheckpoint

extension PipelineError {
  /// Any error of the layers below, in the operator's words.
  package static func translating(_ error: any Error) -> PipelineError {
    switch error {
    case let error as PipelineError: error
    case let error as KafkaError: kafka(error)
    case let error as SystemError: system(error)
    case InstanceLock.Failure.system(let error): system(error)
    case let error as CheckpointError:
      PipelineError(
        "CHECKPOINT_DAMAGED", .damaged, error.description,
        remedy: "restore the checkpoint directory from a backup that is as new as the tables; "
          + "`shopmetricsctl checkpoint show` prints what it holds")
    case let error as CorruptFileError:
      PipelineError(
        "FILE_DAMAGED", .outcomeUnknown, error.description,
        effect: "the file was just written and reads back differently",
        remedy: "check the disk, then run `shopmetricsctl verify`")
    case let error as DeltaError: delta(error)
    case let error as ParquetError: parquet(error)
    default:
      PipelineError("INTERNAL", .system, "\(error)", remedy: "please report this")
    }
  }

  private static func kafka(_ error: KafkaError) -> PipelineError {
    if error.isOffsetOutOfRange {
      return PipelineError(
        "KAFKA_DATA_LOSS", .source, error.message,
        remedy: "records were removed while they were read; the next run says which are gone")
    }
    if error.name == KafkaError.Name.badProperty {
      return PipelineError(
        "KAFKA_PROPERTY", .configuration, error.message,
        remedy: "correct [kafka.librdkafka] in the configuration")
    }
    if error.name == KafkaError.Name.system {
      return PipelineError(
        "NO_RESOURCES", .system, error.message,
        remedy: "see whether TasksMax= or LimitNOFILE= of the service is reached "
          + "(`systemctl show -P TasksCurrent shopmetricsd`); the next run tries again")
    }
    if error.name == KafkaError.Name.topicMissing {
      return PipelineError(
        "KAFKA_TOPIC_MISSING", .unavailable, error.message,
        remedy: "create the topic, or correct kafka.topic; the next run tries again")
    }
    if error.isAuthentication {
      return PipelineError(
        "KAFKA_AUTHENTICATION", .unavailable, error.message,
        remedy: "correct user, password and mechanism in [kafka.security]; "
          + "`shopmetricsd --check-config --online` tries them")
    }
    if error.isAuthorization {
      return PipelineError(
        "KAFKA_AUTHORIZATION", .unavailable, error.message,
        remedy: "grant this user Describe and Read on the topic (kafka-acls --add --operation Read "
          + "--topic ...); the next run tries again")
    }
    if error.name == KafkaError.Name.tls {
      return PipelineError(
        "KAFKA_TLS", .unavailable, error.message,
        remedy: "correct protocol, ca_file or certificate_file in [kafka.security], or the "
          + "broker's certificate; files are read again by every run")
    }
    if error.name == KafkaError.Name.recordChanged {
      return PipelineError(
        "TOPIC_RECREATED", .source, error.message,
        remedy: "the topic was deleted and made again, or its log was replaced: keep the tables, "
          + "and begin anew with `shopmetricsctl checkpoint reset --new-tables DIR`")
    }
    if error.isAboutRecords {
      return PipelineError(
        "KAFKA_RECORDS_UNREADABLE", .source, error.message,
        remedy: "the broker serves records that cannot be read at this offset; look at the log "
          + "segment with Kafka's tools; if the records are lost, `shopmetricsctl checkpoint skip` "
          + "passes over them by name")
    }
    return PipelineError(
      "KAFKA_UNAVAILABLE", .unavailable, error.message,
      remedy: "see that the brokers run and can be reached; the next run tries again")
  }

  private static func parquet(_ error: ParquetError) -> PipelineError {
    if let number = error.systemError {
      return system(SystemError(errno: number, call: "read", path: error.path ?? "a data file"))
    }
    return PipelineError(
      "TABLE_DAMAGED", .damaged, "\(error)",
      remedy: "restore the file; `shopmetricsctl verify` checks the whole table")
  }

  private static func delta(_ error: DeltaError) -> PipelineError {
    let kind: Kind =
      switch error.code {
      case .tooManyConflicts, .clockWentBack, .rewrittenLog: .system
      default: .damaged
      }
    let place = error.version.map { "\(error.tablePath), version \($0)" } ?? error.tablePath
    return PipelineError(
      "TABLE_\(error.code.rawValue.screamingSnakeCase)", kind, "\(place): \(error.message)",
      remedy: error.hint)
  }
}

extension String {
  /// "tornCommit" as "TORN_COMMIT".
  fileprivate var screamingSnakeCase: String {
    reduce(into: "") { text, character in
      if character.isUppercase { text.append("_") }
      text.append(contentsOf: character.uppercased())
    }
  }
}
