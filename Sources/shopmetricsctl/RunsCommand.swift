import JSON
import Pipeline
import Systemd

/// `shopmetricsctl runs`: the runs that the daemon remembers; without a daemon, the batches that
/// the checkpoint remembers.
struct RunsCommand {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func execute(json: Bool) throws -> ExitStatus {
    let lines: [String]
    if let snapshot = try ControlClient(path: configuration.controlSocketPath).status() {
      lines = json ? [document("runs") { $0.runs(snapshot.runs) }] : text(snapshot.runs)
    } else {
      let batches = try StateReader(configuration).batches(last: 100)
      lines = json ? [document("batches") { $0.batches(batches) }] : text(batches)
    }
    print(json ? lines[0] : PrintableText.escapingLines(lines.joined(separator: "\n")))
    return .success
  }

  private func text(_ runs: [RunRecord]) -> [String] {
    guard !runs.isEmpty else { return ["no run yet"] }
    var table = TextTable([
      ("RUN", .right), ("STARTED", .left), ("SECONDS", .right), ("RESULT", .left),
      ("RECORDS", .right), ("DEAD", .right), ("BATCHES", .right), ("BRONZE", .right),
      ("NEW EVENTS", .right), ("SESSIONS", .right),
    ])
    for run in runs {
      let cells = [
        String(run.number), ClockText.dateAndTime(run.startedMs),
        RunReport.seconds(run.milliseconds), run.outcome.rawValue,
      ]
      table.add(cells + (run.error.map { [$0.description] } ?? amounts(run)))
    }
    return table.lines
  }

  private func amounts(_ run: RunRecord) -> [String] {
    [
      RunReport.grouped(run.records), RunReport.grouped(run.dead), RunReport.grouped(run.batches),
      run.bronzeVersion.map { "v\($0)" } ?? "-", RunReport.grouped(run.unique),
      run.sessionsVersion.map { "v\($0)" } ?? "-",
    ]
  }

  private func text(_ batches: [StateReader.Batch]) -> [String] {
    guard !batches.isEmpty else { return ["the daemon is not running, and there is no batch yet"] }
    var table = TextTable([
      ("BATCH", .right), ("PLANNED", .left), ("OFFSETS", .right), ("STATE", .left),
    ])
    for batch in batches {
      table.add([
        String(batch.id), ClockText.dateAndTime(batch.plannedMs),
        batch.offsets.map(RunReport.grouped) ?? "-",
        batch.isCommitted ? "committed" : "for the next start to finish",
      ])
    }
    return [
      "the daemon is not running; its last batches are (runs: `journalctl -u shopmetricsd`)"
    ] + table.lines
  }

  private func document(_ name: String, _ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key(name)
    writer.beginArray()
    write(&writer)
    writer.endArray()
    writer.endObject()
    return writer.text
  }
}

extension JSONWriter {
  fileprivate mutating func runs(_ runs: [RunRecord]) {
    for run in runs { run.write(to: &self) }
  }

  fileprivate mutating func batches(_ batches: [StateReader.Batch]) {
    for batch in batches {
      beginObject()
      field("batch", batch.id)
      field("plannedMs", batch.plannedMs)
      field("offsets", optional: batch.offsets)
      field("committed", batch.isCommitted)
      endObject()
    }
  }
}
