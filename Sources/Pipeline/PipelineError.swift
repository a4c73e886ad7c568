/// Why a run or the daemon stopped, in the words of the operator.
///
/// One error is one journal entry: a code, what was found and expected, what happened to the
/// data, and the command to run.
package struct PipelineError: Error, Equatable, CustomStringConvertible, Sendable {
  /// What kind of stop this is; decides the exit status.
  package enum Kind: String, Sendable {
    /// The broker cannot be used right now: the run failed, the next one tries again.
    case unavailable
    /// The source no longer holds what the checkpoint needs, or is another one.
    case source
    /// The checkpoint or a table is damaged: nothing may be written before an operator acted.
    case damaged
    /// A system call failed and nothing was published: the next run tries again.
    case system
    /// A system call failed and it is unknown what is on disk: only a restart may go on.
    case outcomeUnknown
    /// The configuration does not fit the state on disk.
    case configuration
  }

  /// A name to search for, such as `KAFKA_DATA_LOSS`.
  package let code: String
  package let kind: Kind
  /// What was found and what was expected, with coordinates.
  package let message: String
  /// What happened to the data, as a sentence.
  package let effect: String
  /// What to do, naming a command where there is one.
  package let remedy: String

  /// The effect of an error that came before anything was written.
  package static let nothingChanged = "no table was changed"

  package init(
    _ code: String, _ kind: Kind, _ message: String,
    effect: String = Self.nothingChanged, remedy: String
  ) {
    self.code = code
    self.kind = kind
    self.message = message
    self.effect = effect
    self.remedy = remedy
  }

  /// The same error in a run that had committed `batches` batches before it: those stay.
  func after(batches: Int) -> PipelineError {
    guard batches > 0, effect == Self.nothingChanged else { return self }
    let before = batches == 1 ? "the batch before it is" : "the \(batches) batches before it are"
    return PipelineError(
      code, kind, message, effect: "\(before) committed, nothing else was changed", remedy: remedy)
  }

  /// Does what follows the commit point of a batch; an error of it says that the batch stands.
  ///
  /// - Parameter table: the one whose commit is the commit point.
  static func behindCommitPoint(
    of batch: Int64, in table: String, _ body: () throws -> Void
  ) throws {
    do {
      try body()
    } catch {
      let error = translating(error)
      guard error.effect == nothingChanged else { throw error }
      throw PipelineError(
        error.code, error.kind, error.message,
        effect: "batch \(batch) is committed to \(table), nothing of it is lost or read again",
        remedy: error.remedy)
    }
  }

  package var description: String { "[\(code)] \(message); \(effect); \(remedy)" }

  /// The process's exit status when this error ends it (sysexits.h).
  package var exitStatus: ExitStatus {
    switch kind {
    case .unavailable: .unavailable
    case .source, .damaged: .damagedState
    case .system, .outcomeUnknown: .inputOutput
    case .configuration: .configuration
    }
  }

  /// Whether the resident daemon stays up and tries again at its next run.
  package var isRetried: Bool {
    switch kind {
    case .unavailable, .source, .system: true
    case .damaged, .outcomeUnknown, .configuration: false
    }
  }
}

/// Exit status of both programs; the numbers are those of sysexits.h.
package enum ExitStatus: Int32, Sendable {
  case success = 0
  /// A partition stands still, or a run that was waited for did not end well; says that all is
  /// well with the command itself.
  case attention = 1
  /// Damaged or contradictory state, or a source that lost data (EX_DATAERR).
  case damagedState = 65
  /// Kafka could not be used; foreground runs only (EX_UNAVAILABLE).
  case unavailable = 69
  /// An I/O error; what is on disk may be unknown (EX_IOERR).
  case inputOutput = 74
  /// Another daemon holds the state directory (EX_TEMPFAIL).
  case lockHeld = 75
  /// The configuration is wrong or does not fit the state (EX_CONFIG).
  case configuration = 78
}
