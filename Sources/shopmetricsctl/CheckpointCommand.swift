import JSON
import Pipeline
import Systemd

/// `shopmetricsctl checkpoint show`: the two logs and what a start would do with them.
struct CheckpointCommand {
  private let state: StateReader

  init(_ configuration: Configuration) throws {
    state = try StateReader(configuration)
  }

  func execute(json: Bool) throws -> ExitStatus {
    let row = RecoveryRow.matching(state.observation)
    print(json ? document(row) : PrintableText.escapingLines(text(row)))
    return row.isRefusal ? .damagedState : .success
  }

  private func text(_ row: RecoveryRow) -> String {
    guard let queryID = state.queryID else { return "no checkpoint yet" }
    func batch(_ id: Int64?) -> String { id.map(String.init) ?? "none" }
    let found = state.observation
    var lines = [
      "query id      \(queryID)",
      "newest batch  offsets \(batch(found.offsets)), commits \(batch(found.commits)), "
        + "clickstream_raw \(batch(found.firstTable)), "
        + "clickstream_dead_letter \(batch(found.secondTable))",
      "pending       \(batch(pendingBatch(row)))",
      "next start    row \(row.rawValue): \(meaning(row))",
    ]
    for (partition, offset) in (state.newestOffsets?.offsets ?? [:]).sorted(by: { $0.key < $1.key })
    {
      lines.append("partition \(partition)   \(RunReport.grouped(offset))")
    }
    return lines.joined(separator: "\n")
  }

  /// The batch that is logged and not complete.
  private func pendingBatch(_ row: RecoveryRow) -> Int64? {
    [.replayBatch, .finishBatch].contains(row) ? state.observation.offsets : nil
  }

  private func meaning(_ row: RecoveryRow) -> String {
    switch row {
    case .startNew: "a new stream"
    case .nextBatch: "all complete, the next batch follows"
    case .replayBatch: "the newest batch is read again with its logged offsets"
    case .finishBatch: "the newest batch is finished from its commit"
    default: "refused until an operator acted; `shopmetricsctl verify` prints the details"
    }
  }

  private func document(_ row: RecoveryRow) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("queryId")
    if let id = state.queryID { writer.string(id) } else { writer.null() }
    for (name, batch) in [
      ("offsets", state.observation.offsets), ("commits", state.observation.commits),
      ("clickstreamRaw", state.observation.firstTable),
      ("clickstreamDeadLetter", state.observation.secondTable),
    ] {
      writer.key(name)
      if let batch { writer.int(batch) } else { writer.null() }
    }
    writer.field("recoveryRow", row.rawValue)
    writer.key("pendingBatch")
    if let pending = pendingBatch(row) { writer.int(pending) } else { writer.null() }
    writer.key("partitions")
    writer.beginObject()
    for (partition, offset) in (state.newestOffsets?.offsets ?? [:]).sorted(by: { $0.key < $1.key })
    {
      writer.field(String(partition), offset)
    }
    writer.endObject()
    writer.endObject()
    return writer.text
  }
}
