import Pipeline

/// `shopmetricsctl checkpoint reset --new-tables`: a state directory whose stream begins elsewhere.
struct NewTablesCommand {
  private let configuration: Configuration
  private let place: NewStateDirectory
  private let goal: ResetGoal

  init(_ configuration: Configuration, _ directory: String, _ goal: ResetGoal) {
    self.configuration = configuration
    self.goal = goal
    place = NewStateDirectory(directory, configuration, log: Operator.log(configuration))
  }

  /// Without confirmation only says what would be done.
  func execute(isConfirmed: Bool) throws -> ExitStatus {
    try StateOwner.become(ownerOf: configuration.storage.stateDirectory)
    let (start, waiting) = try place.plan(goal)
    if isConfirmed { try place.make(beginningAt: start, lock: Operator.lock) }
    let verb = isConfirmed ? "begins" : "would begin"
    var lines = [
      "a stream \(verb) in \(place.path), with \(RunReport.grouped(waiting)) offsets to read"
    ]
    for (partition, offset) in start.sorted(by: { $0.key < $1.key }) {
      lines.append("partition \(partition): from offset \(RunReport.grouped(offset)) on")
    }
    lines += [
      "\(configuration.storage.stateDirectory) stays as it is",
      isConfirmed
        ? "To use it, write into the configuration and restart the daemon:"
        : "Nothing was changed; add --yes to do it. The configuration would then need:",
      "    [storage]",
      "    state_directory = \"\(place.path)\"",
    ]
    Operator.tell(lines.joined(separator: "\n"))
    return .success
  }
}
