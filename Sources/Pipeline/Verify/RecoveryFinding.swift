internal import DeltaLake

extension VerificationReport {
  /// Takes in what the recovery table says of a query's checkpoint and tables.
  ///
  /// A batch that is pending is a note: the daemon is at work on it, or recovery completes it.
  mutating func note(
    _ row: RecoveryRow, _ found: RecoveryObservation, _ tables: [DeltaTable],
    in places: RecoveryRow.Places
  ) {
    func text(_ batch: Int64?) -> String { batch.map(String.init) ?? "none" }
    switch row {
    case .startNew: findStrangers(tables, checkpoint: places.checkpoint)
    case .nextBatch: break
    case .replayBatch, .finishBatch:
      notes.append(
        "\(places.checkpoint): batch \(text(found.offsets)) is pending (row \(row.rawValue)): "
          + "the daemon is at work on it, or completes it at its next start")
    default:
      find(
        "STATE_CONTRADICTS", places.checkpoint,
        expected: "offsets, commits and tables at the same batch",
        found: "offsets \(text(found.offsets)), commits \(text(found.commits)), "
          + "\(places.first) \(text(found.firstTable)), "
          + "\(places.second) \(text(found.secondTable)) (row \(row.rawValue))")
    }
  }

  /// A checkpoint that was never used fits only to tables that no query has written.
  private mutating func findStrangers(_ tables: [DeltaTable], checkpoint: String) {
    for table in tables {
      guard let (appID, batch) = table.snapshot.transactions.min(by: { $0.key < $1.key }) else {
        continue
      }
      find(
        "STATE_CONTRADICTS", checkpoint,
        expected: "the checkpoint of query \(appID), whose batch \(batch) is in \(table.path)",
        found: "no batch")
    }
  }
}
