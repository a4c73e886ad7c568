import Pipeline

/// `shopmetricsctl checkpoint rebuild`: Bronze's checkpoint from what the table's commits say.
struct RebuildCheckpointCommand {
  private let configuration: Configuration
  private let rebuild: CheckpointRebuild

  init(_ configuration: Configuration) {
    self.configuration = configuration
    rebuild = CheckpointRebuild(configuration, log: Operator.log(configuration))
  }

  /// Without confirmation only says what would be done.
  func execute(isConfirmed: Bool) throws -> ExitStatus {
    let text: String
    if isConfirmed {
      let lock = try Operator.lock(configuration.paths)
      let (plan, backup) = try withExtendedLifetime(lock) { try rebuild.execute(lock: lock) }
      text =
        ([description(of: plan, "is made again")]
        + (backup.map { ["the damaged one is kept as \($0)"] } ?? [])).joined(separator: "\n")
    } else {
      text = """
        \(description(of: try rebuild.plan(), "would be made again"))
        what is there would be kept beside it
        Nothing was changed; add --yes to do it. Stop the daemon first.
        """
    }
    Operator.tell(text)
    return .success
  }

  private func description(of plan: CheckpointRebuild.Plan, _ what: String) -> String {
    let lines = plan.position.sorted { $0.key < $1.key }.map {
      "partition \($0.key): goes on at offset \(RunReport.grouped($0.value))"
    }
    let head =
      "\(configuration.paths.bronzeCheckpoint) \(what): query \(plan.queryID), batches "
      + "\(plan.oldest) to \(plan.newest)"
    return ([head] + lines).joined(separator: "\n")
  }
}
