package import JSON

/// How one run went, as the daemon remembers it and `shopmetricsctl runs` shows it.
package struct RunRecord: Equatable, Sendable {
  package enum Outcome: String, Sendable {
    /// Everything that the topic held when the run began is committed.
    case ok
    /// The run ended behind a batch because it was told to or took too long.
    case stopped
    case failed
  }

  /// Counted from the start of the daemon, from 1.
  package var number: Int64
  /// Milliseconds since 1970.
  package var startedMs: Int64
  package var milliseconds: Int64
  package var outcome: Outcome
  /// What ended it when it failed.
  package var error: PipelineError?
  package var batches: Int64 = 0
  /// Rows of Bronze, dead letters, and offsets that no visible record has.
  package var good: Int64 = 0
  package var dead: Int64 = 0
  package var absent: Int64 = 0
  package var silverBatches: Int64 = 0
  /// New events in Silver, and rows that were none.
  package var unique: Int64 = 0
  package var duplicates: Int64 = 0
  /// Versions behind the run; `nil` for a table that there is not.
  package var bronzeVersion: Int64?
  package var sessionsVersion: Int64?

  package init(
    number: Int64, startedMs: Int64, milliseconds: Int64, _ result: Result<RunReport, PipelineError>
  ) {
    self.number = number
    self.startedMs = startedMs
    self.milliseconds = milliseconds
    switch result {
    case .success(let report):
      outcome = report.wasStopped ? .stopped : .ok
      note(report)
    case .failure(let error):
      outcome = .failed
      self.error = error
    }
  }

  private mutating func note(_ report: RunReport) {
    batches = Int64(report.batches)
    (good, dead, absent) = (report.good, report.dead, report.absent)
    bronzeVersion = report.bronzeVersion
    guard let silver = report.silver else { return }
    silverBatches = Int64(silver.batches)
    (unique, duplicates) = (silver.unique, silver.duplicates)
    sessionsVersion = silver.sessionsVersion
  }

  /// Whether it showed that runs work; one that was told to stop before its first batch did not.
  package var isSuccess: Bool {
    outcome == .ok || outcome == .stopped && (batches > 0 || silverBatches > 0)
  }

  /// Records that the run took from Kafka.
  package var records: Int64 { good + dead }

  /// Records of Kafka in a second; `nil` for a run too short to say.
  package var recordsPerSecond: Double? {
    records > 0 && milliseconds > 0 ? Double(records) * 1000 / Double(milliseconds) : nil
  }
}

// MARK: - JSON

extension RunRecord {

  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    for (name, value) in numbers { writer.field(name, value) }
    writer.field("outcome", outcome.rawValue)
    writer.key("error")
    if let error { error.write(to: &writer) } else { writer.null() }
    writer.field("bronzeVersion", optional: bronzeVersion)
    writer.field("sessionsVersion", optional: sessionsVersion)
    writer.endObject()
  }

  private var numbers: [(String, Int64)] {
    [
      ("number", number), ("startedMs", startedMs), ("milliseconds", milliseconds),
      ("batches", batches), ("good", good), ("dead", dead), ("absent", absent),
      ("silverBatches", silverBatches), ("unique", unique), ("duplicates", duplicates),
    ]
  }

  /// Reads it back; `nil` when a member is missing or of another type.
  package init?(_ object: JSONObject) {
    guard let number = object.int64("number"), let startedMs = object.int64("startedMs"),
      let milliseconds = object.int64("milliseconds"),
      let outcome = object.string("outcome").flatMap(Outcome.init),
      let batches = object.int64("batches"), let good = object.int64("good"),
      let dead = object.int64("dead"), let absent = object.int64("absent"),
      let silverBatches = object.int64("silverBatches"), let unique = object.int64("unique"),
      let duplicates = object.int64("duplicates")
    else { return nil }
    (self.number, self.startedMs, self.milliseconds) = (number, startedMs, milliseconds)
    self.outcome = outcome
    error = object.object("error").flatMap(PipelineError.init)
    (self.batches, self.good, self.dead, self.absent) = (batches, good, dead, absent)
    (self.silverBatches, self.unique, self.duplicates) = (silverBatches, unique, duplicates)
    bronzeVersion = object.int64("bronzeVersion")
    sessionsVersion = object.int64("sessionsVersion")
  }
}
