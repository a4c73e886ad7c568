internal import DeltaLake
internal import StreamCheckpoint

extension SilverVerifier {
  /// Each batch's commit against its neighbours, the checkpoint and the events table, as far as the
  /// log still holds it; the newest first.
  mutating func checkCommits() throws {
    guard let sessions = state.sessions, let queryID = state.queryID else { return }
    var second = state.events.map {
      CarriedCommitAudit(
        $0, queryID: queryID, codes: (missing: "EVENTS_MISSING", differ: "EVENTS_DIFFER"),
        carrier: "clickstream_sessions")
    }
    var later: SilverAccounting?
    var newest: Int64?
    defer {
      // Without that commit the daemon cannot go on.
      if newest != state.observation.firstTable { findLostCommit() }
    }
    for version in stride(from: sessions.snapshot.version, through: 0, by: -1) {
      let actions: [Action]
      do {
        guard let found = try sessions.actions(ofVersion: version) else { return }
        actions = found
      } catch {
        report.findings.append(try StateVerifier.finding(error))
        continue
      }
      guard let batch = actions.transactionVersion(of: queryID) else { continue }
      newest = newest ?? batch
      let place = "\(sessions.path), version \(version), batch \(batch)"
      guard let accounting = actions.commitInfo?.shopmetrics.flatMap(SilverAccounting.init),
        accounting.batch == batch
      else {
        report.find(
          "ACCOUNTING_DAMAGED", place, expected: "the accounting of batch \(batch)",
          found: "another one, or none that can be read")
        later = nil
        continue
      }
      check(accounting, place, before: later)
      _ = try second?.check(
        batch, carried: accounting.second, isPending: batch == pendingBatch, &report)
      counts.batches += 1
      later = accounting
    }
  }

  private mutating func findLostCommit() {
    guard let sessions = state.sessions, let batch = state.observation.firstTable else { return }
    report.find(
      "ACCOUNTING_DAMAGED", "\(sessions.path), batch \(batch)",
      expected: "the commit of the newest batch in the log", found: "none")
  }

  /// The batch whose second commit may still be to come.
  private var pendingBatch: Int64? {
    let isPending =
      state.isSwitching || RecoveryRow.matching(state.observation) == .finishBatch
    return isPending ? state.observation.firstTable : nil
  }

  private mutating func check(
    _ accounting: SilverAccounting, _ place: String, before later: SilverAccounting?
  ) {
    checkCheckpoint(accounting, place)
    if accounting.batch == 0 {
      checkTotal(accounting.total, accounting.rows, "\(place), total of the first batch")
    }
    guard let later else { return }
    compare(
      "CONTINUITY", "\(place), start of the next batch", accounting.end, later.start)
    checkTotal(
      later.total, accounting.total + later.rows, "\(place), total of the next batch")
    if later.newestEvent < accounting.newestEvent {
      report.find(
        "CONTINUITY", "\(place), newest event of the next batch",
        expected: "\(accounting.newestEvent) µs or later", found: "\(later.newestEvent)")
    }
  }

  private mutating func checkTotal(
    _ found: SilverAccounting.Rows, _ expected: SilverAccounting.Rows, _ place: String
  ) {
    report.compare("CONTINUITY", "\(place), read", expected.read, found.read)
    report.compare("CONTINUITY", "\(place), unique", expected.unique, found.unique)
    report.compare("CONTINUITY", "\(place), duplicates", expected.duplicates, found.duplicates)
  }

  /// The batch is the one that the checkpoint planned, and left the watermark that it says.
  private mutating func checkCheckpoint(_ accounting: SilverAccounting, _ place: String) {
    if let before = checkpoint.batches[accounting.batch - 1] {
      compare("BATCH_OFFSETS", "\(place), start", before.end, accounting.start)
    }
    if let batch = checkpoint.batches[accounting.batch] {
      compare("BATCH_OFFSETS", "\(place), end", batch.end, accounting.end)
    }
    if let next = checkpoint.nextWatermarks[accounting.batch], next != accounting.nextWatermarkMs {
      report.find(
        "BATCH_WATERMARK", "\(place), watermark for the next batch", expected: "\(next) ms",
        found: "\(accounting.nextWatermarkMs) ms")
    }
  }

  private mutating func compare(
    _ code: String, _ place: String, _ expected: DeltaSourceOffset, _ found: DeltaSourceOffset
  ) {
    guard expected != found else { return }
    report.find(code, place, expected: expected.json, found: found.json)
  }
}
