import JSON
import Pipeline
import Systemd

/// `shopmetricsctl checkpoint show`: the logs of both queries, and what a start would do with them.
struct CheckpointCommand {
  private let bronze: Query
  private let silver: Query

  /// One query's checkpoint beside its tables.
  private struct Query {
    let name: String
    let id: String?
    let found: RecoveryObservation
    /// The tables by their names, the one of the commit point first.
    let tables: [(name: String, key: String, batch: Int64?)]
    /// How far the newest batch reads: a place of the source and an offset.
    let position: [(place: String, offset: String)]

    var row: RecoveryRow { RecoveryRow.matching(found) }

    /// The batch that is logged and not complete.
    var pending: Int64? { [.replayBatch, .finishBatch].contains(row) ? found.offsets : nil }
  }

  init(_ configuration: Configuration) throws {
    let state = try StateReader(configuration)
    bronze = Query(
      name: BronzeQuery.name, id: state.queryID, found: state.observation,
      tables: [
        ("clickstream_raw", "clickstreamRaw", state.observation.firstTable),
        ("clickstream_dead_letter", "clickstreamDeadLetter", state.observation.secondTable),
      ],
      position: (state.newestOffsets?.offsets ?? [:]).sorted { $0.key < $1.key }
        .map { ("partition \($0.key)", String($0.value)) })
    let status = try SilverStatus(configuration)
    silver = Query(
      name: SilverQuery.name, id: status.queryID, found: status.observation,
      tables: [
        ("clickstream_sessions", "clickstreamSessions", status.observation.firstTable),
        ("clickstream_events", "clickstreamEvents", status.observation.secondTable),
      ],
      position: status.newestOffset.map { [("bronze", $0)] } ?? [])
  }

  func execute(json: Bool) throws -> ExitStatus {
    print(json ? document() : PrintableText.escapingLines(text(bronze) + "\n\n" + text(silver)))
    return bronze.row.isRefusal || silver.row.isRefusal ? .damagedState : .success
  }

  private func text(_ query: Query) -> String {
    guard let id = query.id else { return "\(query.name): no checkpoint yet" }
    func batch(_ id: Int64?) -> String { id.map(String.init) ?? "none" }
    let tables = query.tables.map { "\($0.name) \(batch($0.batch))" }.joined(separator: ", ")
    var lines = [
      query.name,
      "query id      \(id)",
      "newest batch  offsets \(batch(query.found.offsets)), commits \(batch(query.found.commits)), "
        + tables,
      "pending       \(batch(query.pending))",
      "next start    row \(query.row.rawValue): \(meaning(query.row))",
    ]
    for (place, offset) in query.position {
      let padding = String(repeating: " ", count: max(1, 14 - place.count))
      lines.append(place + padding + (Int64(offset).map(RunReport.grouped) ?? offset))
    }
    return lines.joined(separator: "\n")
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

  private func document() -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writeLogs(of: bronze, to: &writer)
    writer.key("partitions")
    writer.beginObject()
    for (place, offset) in bronze.position {
      writer.field(String(place.dropFirst("partition ".count)), raw: offset)
    }
    writer.endObject()
    writer.key("silver")
    writer.beginObject()
    writeLogs(of: silver, to: &writer)
    writer.key("bronzeOffset")
    if let offset = silver.position.first?.offset { writer.raw(offset) } else { writer.null() }
    writer.endObject()
    writer.endObject()
    return writer.text
  }

  private func writeLogs(of query: Query, to writer: inout JSONWriter) {
    writer.key("queryId")
    if let id = query.id { writer.string(id) } else { writer.null() }
    let logs = [("offsets", query.found.offsets), ("commits", query.found.commits)]
    for (name, batch) in logs + query.tables.map({ ($0.key, $0.batch) }) {
      writer.key(name)
      if let batch { writer.int(batch) } else { writer.null() }
    }
    writer.field("recoveryRow", query.row.rawValue)
    writer.key("pendingBatch")
    if let pending = query.pending { writer.int(pending) } else { writer.null() }
  }
}
