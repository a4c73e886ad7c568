internal import DeltaLake

/// The commits of retries of dead letters: each one's rows, its totals, and what the other table
/// got.
struct RetryAudit {
  private let state: StateReader
  private var second: CarriedCommitAudit?

  init(_ state: StateReader) {
    self.state = state
    second = state.deadLetters.map {
      CarriedCommitAudit(
        $0, queryID: DeadLetterRetry.name, codes: (missing: "LETTERS_MISSING", "LETTERS_DIFFER"),
        carrier: "clickstream_raw", origin: .retry)
    }
  }

  /// Checks one retry; the newest comes first.
  ///
  /// - Parameters:
  ///   - actions: of its commit in the Bronze table.
  ///   - events: the rows of that table.
  /// - Returns: its totals; `nil` when its accounting cannot be read.
  mutating func check(
    _ actions: [Action], place: String, _ events: TableRows, _ report: inout VerificationReport
  ) throws -> AccountedChange? {
    let transaction = actions.transaction(of: DeadLetterRetry.name)
    guard let transaction, let object = actions.commitInfo?.shopmetrics,
      let retry = RetryAccounting(object), retry.number == transaction.version
    else {
      report.find(
        "ACCOUNTING_DAMAGED", place,
        expected: "the accounting of retry \(transaction?.version ?? 0) of dead letters",
        found: "another one, or none that can be read")
      return nil
    }
    let place = "\(place), retry \(retry.number)"
    if let files = events.files(addedBy: actions) {
      checkRows(files, retry, transaction.lastUpdated ?? 0, place, &report)
    }
    _ = try second?.check(
      retry.number, carried: retry.second, isPending: state.pendingRetry?.number == retry.number,
      &report)
    return AccountedChange(retry, place: place)
  }

  private func checkRows(
    _ files: [FileRows], _ retry: RetryAccounting, _ timestampMs: Int64, _ place: String,
    _ report: inout VerificationReport
  ) {
    var rows: [Int32: FileRows.PartitionRows] = [:]
    for file in files { rows.merge(file.partitions) { $0.adding($1) } }
    for partition in Set(rows.keys).union(retry.partitions.keys).sorted() {
      let account = retry.partitions[partition]
      report.compare(
        "BATCH_ROWS", "\(place), partition \(partition)",
        account.map { $0.moved + $0.movedEarlier } ?? 0, rows[partition]?.count ?? 0)
    }
    for case let times? in files.map(\.ingestedAt) {
      report.checkTime(times, timestampMs, place: place)
    }
  }
}

extension VerificationReport {
  /// Takes in what the two tables say of the newest retry of dead letters.
  mutating func note(_ retries: RetryObservation, in bronze: String) {
    switch retries.meaning {
    case .complete: break
    case .pending(let number):
      notes.append(
        "\(bronze): retry \(number) of dead letters is pending: its records are in both tables "
          + "until it or the daemon's next start completes it")
    case .contradiction:
      find(
        "STATE_CONTRADICTS", bronze, expected: "both tables at the same retry of dead letters",
        found: retries.text)
    }
  }

  /// `ingested_at` is the time of the batch or of the retry, also when it was done again.
  mutating func checkTime(_ times: ClosedRange<Int64>, _ milliseconds: Int64, place: String) {
    let (expected, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
    guard overflow || times != expected...expected else { return }
    find(
      "BATCH_TIME", place, expected: "ingested_at \(expected)",
      found: "\(times.lowerBound) to \(times.upperBound)")
  }
}
