internal import DeltaLake
internal import DurableIO

/// What the two Bronze tables say of the newest retry of dead letters.
///
/// Every retry has a commit in both, the Bronze table's first.
struct RetryObservation: Equatable {
  /// The newest retry in the Bronze table, whose commit is a retry's commit point.
  var first: Int64?
  var second: Int64?

  init(first: Int64?, second: Int64?) {
    self.first = first
    self.second = second
  }

  init(_ bronze: DeltaTable?, _ deadLetters: DeltaTable?) {
    first = bronze?.snapshot.transactionVersion(of: DeadLetterRetry.name)
    second = deadLetters?.snapshot.transactionVersion(of: DeadLetterRetry.name)
  }

  enum Meaning: Equatable {
    case complete
    /// The Bronze table has this retry; the letters that it moved are still in their table, too.
    case pending(Int64)
    /// One of the tables was restored without the other.
    case contradiction
  }

  var meaning: Meaning {
    let (first, second) = (self.first ?? -1, self.second ?? -1)
    if first == second { return .complete }
    return first == second + 1 ? .pending(first) : .contradiction
  }

  /// For messages.
  var text: String {
    func retry(_ number: Int64?) -> String { number.map { "retry \($0)" } ?? "no retry" }
    return "clickstream_raw: \(retry(first)), clickstream_dead_letter: \(retry(second))"
  }
}

extension DeltaTable {
  /// The Bronze table's commit of a retry.
  ///
  /// - Throws: `TABLE_DAMAGED` when the log does not hold it, or not as a retry wrote it.
  func retryCommit(_ number: Int64) throws -> RetryAccounting {
    let found = try commitInfo(ofTransaction: DeadLetterRetry.name, version: number)
    guard let object = found?.info.shopmetrics, let retry = RetryAccounting(object),
      retry.number == number
    else {
      let place = found.map { "version \($0.tableVersion)" } ?? "_delta_log"
      throw PipelineError(
        "TABLE_DAMAGED", .damaged,
        "\(path), \(place): expected the accounting of retry \(number) of dead letters, which "
          + "clickstream_dead_letter has not got yet, found none",
        remedy: "restore that file of _delta_log from a copy of the table")
    }
    return retry
  }

  /// A batch's accounting with its totals as the retries since then leave them.
  ///
  /// - Parameter version: of the batch's commit in this table, which is Bronze.
  func totals(of accounting: BatchAccounting, since version: Int64) throws -> BatchAccounting {
    guard snapshot.transactionVersion(of: DeadLetterRetry.name) != nil else { return accounting }
    for later in stride(from: snapshot.version, to: version, by: -1) {
      guard let actions = try actions(ofVersion: later) else { break }
      guard let number = actions.transactionVersion(of: DeadLetterRetry.name) else { continue }
      var accounting = accounting
      for (partition, account) in try retryCommit(number).partitions {
        if let total = account.total { accounting.partitions[partition]?.total = total }
      }
      return accounting
    }
    return accounting
  }
}

extension BronzeQuery {
  /// Completes a retry of dead letters whose commit point was passed.
  ///
  /// - Throws: `STATE_CONTRADICTS` when the tables are not from the same moment, and what
  ///   `CarriedCommit.apply` throws.
  func finishRetry() throws {
    let found = RetryObservation(bronze, deadLetters)
    switch found.meaning {
    case .complete: return
    case .pending(let number):
      guard let bronze, let deadLetters else { throw contradiction(found) }
      let carried = try bronze.retryCommit(number).second.actions.map { try Action($0) }
      try CarriedCommit(actions: carried, batch: number, origin: .retry)
        .apply(to: deadLetters, publisher: publisher, role: .deadLetterCommit)
      log.notice("retry \(number) of dead letters was finished", [("code", "RECOVERY")])
    case .contradiction: throw contradiction(found)
    }
  }

  private func contradiction(_ found: RetryObservation) -> PipelineError {
    PipelineError(
      "STATE_CONTRADICTS", .damaged,
      "\(configuration.paths.bronze): the dead letters of a retry are in one table and not in the "
        + "other: \(found.text)",
      remedy: "restore both tables from the same moment; `shopmetricsctl verify` prints the details"
    )
  }
}
