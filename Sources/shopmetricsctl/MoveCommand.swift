import DurableIO
import Pipeline

/// `shopmetricsctl checkpoint skip`, `accept-loss` and `reset`: Bronze goes on at other offsets.
struct MoveCommand {
  private let configuration: Configuration
  private let order: StreamOrder
  private let mover: StreamMover

  init(_ configuration: Configuration, _ order: StreamOrder) {
    self.configuration = configuration
    self.order = order
    mover = StreamMover(configuration, log: Operator.log(configuration))
  }

  /// Without confirmation only says what would be done.
  func execute(isConfirmed: Bool) throws -> ExitStatus {
    let text: String
    if isConfirmed {
      let lock = try Operator.lock(configuration.paths)
      text = describe(try withExtendedLifetime(lock) { try mover.execute(order, lock: lock) })
    } else {
      text = describe(try mover.plan(order))
    }
    Operator.tell(text)
    return .success
  }

  private func describe(_ move: StreamMove) -> String {
    guard !move.isEmpty else { return nothingToDo }
    var lines = self.lines(move, "would be")
    if let batch = move.withdrawn {
      lines.append("batch \(batch) is logged and in no table: it would be planned anew")
    }
    lines.append("a copy of \(configuration.paths.bronzeCheckpoint) would be kept beside it")
    if move.batchEnd != nil {
      lines.append("a batch of them alone would be logged, for the next run to read")
    }
    if move.repeatedCount > 0 {
      lines.append("safer: add --new-tables DIR, which begins empty tables and keeps these")
    }
    lines.append("Nothing was changed; add --yes to do it. Stop the daemon first.")
    return lines.joined(separator: "\n")
  }

  private func describe(_ outcome: StreamMover.Outcome) -> String {
    guard !outcome.move.isEmpty else { return nothingToDo }
    var lines = self.lines(outcome.move, "are")
    if let batch = outcome.batch {
      lines.append(
        outcome.move.batchEnd == nil
          ? "batch \(batch) says so in the dead letters"
          : "batch \(batch) is logged and ends there: let a run read it (`systemctl start "
            + "shopmetricsd`), then give this command again")
    }
    if let id = outcome.queryID { lines.append("the new query is \(id)") }
    if let backup = outcome.backup { lines.append("the old checkpoint is kept as \(backup)") }
    return lines.joined(separator: "\n")
  }

  private var nothingToDo: String {
    if case .acceptLoss = order { return "nothing is lost: the brokers hold all that comes next" }
    return "nothing to do: the stream is there already"
  }

  private func lines(_ move: StreamMove, _ verb: String) -> [String] {
    var lines: [String] = []
    for (partition, range) in move.readFirst.sorted(by: { $0.key < $1.key }) {
      lines.append("partition \(partition): \(text(range)) come first and are no part of the skip")
    }
    for (partition, range) in move.skipped.sorted(by: { $0.key < $1.key }) {
      lines.append("partition \(partition): \(text(range)) \(verb) passed over, with a dead letter")
    }
    for (partition, range) in move.repeated.sorted(by: { $0.key < $1.key }) {
      lines.append("partition \(partition): \(text(range)) \(verb) read again")
    }
    if move.repeatedCount > 0 {
      lines.append(
        "Bronze holds up to \(RunReport.grouped(move.repeatedCount)) of them already: those "
          + "\(verb) stored TWICE")
    }
    return lines
  }

  private func text(_ range: Range<Int64>) -> String {
    "offsets \(range.lowerBound) to \(range.upperBound - 1) "
      + "(\(RunReport.grouped(range.upperBound - range.lowerBound)))"
  }
}
