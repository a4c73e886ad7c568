internal import DeltaLake

extension StateVerifier {
  /// Each batch's commit against its files, its neighbours, the checkpoint and the other table, as
  /// far as the log still holds it; the newest first.
  mutating func checkCommits() throws {
    guard let bronze = state.bronze, let queryID = state.queryID else { return }
    var second = state.deadLetters.map {
      CarriedCommitAudit(
        $0, queryID: queryID, codes: (missing: "LETTERS_MISSING", differ: "LETTERS_DIFFER"),
        carrier: "clickstream_raw")
    }
    var retries = RetryAudit(state)
    var later: BatchAccounting?
    var laterTotals: AccountedChange?
    for version in stride(from: bronze.snapshot.version, through: 0, by: -1) {
      let actions: [Action]
      do {
        guard let found = try bronze.actions(ofVersion: version) else { return }
        actions = found
      } catch {
        report.findings.append(try Self.finding(error))
        continue
      }
      let place = "\(bronze.path), version \(version)"
      if actions.transactionVersion(of: DeadLetterRetry.name) != nil {
        let change = try retries.check(actions, place: place, events, &report)
        if let change, let laterTotals { report.check(laterTotals, follows: change) }
        laterTotals = change
        continue
      }
      guard let batch = actions.transactionVersion(of: queryID) else {
        // Retries around a batch of a stream that was reset have that stream's totals.
        if actions.holdTransaction { laterTotals = nil }
        continue
      }
      guard let object = actions.commitInfo?.shopmetrics else {
        (later, laterTotals) = (nil, nil)
        continue
      }
      guard let accounting = BatchAccounting(object), accounting.batch == batch else {
        report.find(
          "ACCOUNTING_DAMAGED", place, expected: "the accounting of batch \(batch)",
          found: "another one, or none that can be read")
        (later, laterTotals) = (nil, nil)
        continue
      }
      check(accounting, actions, place: "\(place), batch \(batch)", before: later)
      let change = AccountedChange(accounting, place: "\(place), batch \(batch)")
      if let laterTotals { report.check(laterTotals, follows: change) }
      try checkSecond(accounting, &second)
      report.batches += 1
      (later, laterTotals) = (accounting, batch > 0 ? change : nil)
    }
  }

  private mutating func check(
    _ accounting: BatchAccounting, _ actions: [Action], place: String,
    before later: BatchAccounting?
  ) {
    for (partition, account) in accounting.partitions.sorted(by: { $0.key < $1.key }) {
      report.compare(
        "BATCH_RANGE", "\(place), partition \(partition)", account.end - account.start,
        account.good + account.dead + account.absent)
      if let next = later?.partitions[partition] {
        report.compare(
          "CONTINUITY", "\(place), partition \(partition), start of the next batch", account.end,
          next.start)
      }
      checkOffsets(account, partition, accounting.batch, place)
    }
    if let files = events.files(addedBy: actions) {
      checkRows(files, accounting, place: place) { $0.good }
      checkTime(files, accounting.batch, place: place)
    }
  }

  /// The batch's range is what the offset log says.
  private mutating func checkOffsets(
    _ account: PartitionAccount, _ partition: Int32, _ batch: Int64, _ place: String
  ) {
    let before = batch == 0 ? checkpoint.initialOffsets : checkpoint.batches[batch - 1]?.offsets
    if let start = before?[partition] {
      report.compare(
        "BATCH_OFFSETS", "\(place), start of partition \(partition)", start, account.start)
    }
    if let end = checkpoint.batches[batch]?.offsets[partition] {
      report.compare("BATCH_OFFSETS", "\(place), end of partition \(partition)", end, account.end)
    }
  }

  private mutating func checkRows(
    _ files: [FileRows], _ accounting: BatchAccounting, place: String,
    _ expected: (PartitionAccount) -> Int64
  ) {
    var rows: [Int32: FileRows.PartitionRows] = [:]
    for file in files { rows.merge(file.partitions) { $0.adding($1) } }
    for partition in Set(rows.keys).union(accounting.partitions.keys).sorted() {
      let account = accounting.partitions[partition]
      let place = "\(place), partition \(partition)"
      report.compare(
        "BATCH_ROWS", place, account.map(expected) ?? 0, rows[partition]?.count ?? 0)
      guard let account, let offsets = rows[partition]?.offsets,
        offsets.lowerBound < account.start || offsets.upperBound >= account.end
      else { continue }
      report.find(
        "BATCH_ROWS", place, expected: "offsets \(account.start) to \(account.end - 1)",
        found: "\(offsets.lowerBound) to \(offsets.upperBound)")
    }
  }

  /// `ingested_at` is the batch's timestamp, also when the batch was read again.
  private mutating func checkTime(_ files: [FileRows], _ batch: Int64, place: String) {
    guard let milliseconds = checkpoint.batches[batch]?.timestampMs else { return }
    for case let times? in files.map(\.ingestedAt) {
      report.checkTime(times, milliseconds, place: place)
    }
  }

  // MARK: Dead letters

  /// What a batch carries for the dead-letter table must be what that table got.
  private mutating func checkSecond(
    _ accounting: BatchAccounting, _ audit: inout CarriedCommitAudit?
  ) throws {
    let isPending = row == .finishBatch && state.observation.firstTable == accounting.batch
    let actions = try audit?.check(
      accounting.batch, carried: accounting.second, isPending: isPending, &report)
    guard let actions, let table = state.deadLetters,
      let files = letters.files(addedBy: actions)
    else { return }
    let place = "\(table.path), batch \(accounting.batch)"
    checkRows(files, accounting, place: place) { $0.dead }
    checkTime(files, accounting.batch, place: place)
  }
}

extension [Action] {
  /// Whether this commit records a batch of any application.
  fileprivate var holdTransaction: Bool {
    contains { if case .transaction = $0 { true } else { false } }
  }
}
