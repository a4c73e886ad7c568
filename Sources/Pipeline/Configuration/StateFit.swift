internal import DeltaLake
internal import StreamCheckpoint

/// Whether settings fit the checkpoint and the tables that they were not made with.
///
/// The daemon's start and the check before it refuse the same in the same words.
package enum StateFit {
  /// Looks at the state directory and changes nothing.
  ///
  /// - Returns: where the next run goes on, as the end of the sentence "checkpoint: …".
  /// - Throws: what the daemon's start would throw; of the kind `configuration` when a setting is
  ///   at fault.
  package static func examine(_ configuration: Configuration) throws(PipelineError) -> String {
    do {
      let state = try StateReader(configuration)
      try checkTopic(of: state, configuration)
      if let bronze = state.bronze {
        try checkTopic(of: bronze, configuration)
        try checkColumns(of: bronze, configuration)
      }
      if configuration.silver.isEnabled,
        let sessions = try DeltaTable.open(path: configuration.paths.sessions)
      {
        try SilverQuery.checkRules(of: sessions, gap: configuration.silver.sessionGap)
      }
      return try position(
        of: state, startingAt: configuration.kafka.startingOffsets.description)
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private static func position(
    of state: StateReader, startingAt beginning: String
  ) throws -> String {
    let found = state.observation
    let row = RecoveryRow.matching(found)
    guard let queryID = state.queryID else {
      try RecoveryRow.checkUnwritten(
        [state.bronze, state.deadLetters], checkpoint: state.checkpoint.path,
        otherwise: BronzeQuery.wayOutWithoutCheckpoint)
      return "none yet, the first run starts at \(beginning)"
    }
    try RecoveryRow.checkQuery(
      queryID, of: state.bronze, found, checkpoint: state.checkpoint.path)
    guard !row.isRefusal else { throw row.refusal(found, in: BronzeQuery.places(state.paths)) }
    guard let batch = found.offsets else { return "new, no batch yet" }
    return row == .nextBatch
      ? "batch \(batch) is complete" : "batch \(batch) was interrupted, the next start ends it"
  }

  // MARK: Topic

  private static func checkTopic(
    of state: StateReader, _ configuration: Configuration
  ) throws {
    if let initial = try state.checkpoint.initialOffsets() {
      _ = try offsets(initial, in: state.checkpoint.path + "/sources/0/0", configuration)
    }
    if let newest = state.observation.offsets,
      let text = try state.checkpoint.offsets(newest)?.sources.first, let text
    {
      _ = try offsets(text, in: "\(state.checkpoint.offsetLog.directory)/\(newest)", configuration)
    }
  }

  /// Reads a source's offsets and refuses those of another topic.
  static func offsets(
    _ text: String, in path: String, _ configuration: Configuration
  ) throws -> KafkaOffsetsJSON {
    let offsets = try KafkaOffsetsJSON.parse(text, path: path)
    try checkTopic(offsets.topic, "\(path): the checkpoint belongs to", configuration)
    return offsets
  }

  static func checkTopic(of table: DeltaTable, _ configuration: Configuration) throws {
    guard let topic = table.snapshot.metadata.configuration[SourceIdentity.topic] else { return }
    try checkTopic(topic, "\(table.path) was built from", configuration)
  }

  private static func checkTopic(
    _ topic: String, _ place: String, _ configuration: Configuration
  ) throws {
    guard topic != configuration.kafka.topic else { return }
    throw PipelineError(
      "TOPIC_CHANGED", .configuration,
      "\(place) topic \"\(topic)\", kafka.topic is \"\(configuration.kafka.topic)\"",
      remedy: "set kafka.topic back, or give the new topic its own storage.state_directory")
  }

  // MARK: Columns

  /// - Returns: the declared columns that the table does not have yet.
  @discardableResult
  static func checkColumns(
    of table: DeltaTable, _ configuration: Configuration
  ) throws -> [StructField] {
    try BronzeSchema.declared(configuration.columns).filter { field in
      guard let existing = table.snapshot.schema.field(named: field.name) else { return true }
      guard existing.type == field.type else {
        throw PipelineError(
          "COLUMN_TYPE_CHANGED", .configuration,
          "[[columns]] declares \(field.name) as \(field.type.name ?? "another type"), in "
            + "\(table.path) the column is \(existing.type.name ?? "of another type")",
          remedy: "declare it as before, or under another name")
      }
      return false
    }
  }
}
