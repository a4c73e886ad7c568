import JSON
import Pipeline
import Systemd

/// `shopmetricsctl verify`: tables and checkpoint against each other, from the files alone.
struct VerifyCommand {
  private let configuration: Configuration

  init(_ configuration: Configuration) {
    self.configuration = configuration
  }

  func execute(json: Bool, isDeep: Bool) throws -> ExitStatus {
    let report = try StateVerifier.verify(configuration, isDeep: isDeep)
    print(json ? document(report) : text(report))
    return report.isSound ? .success : .damagedState
  }

  private func text(_ report: VerificationReport) -> String {
    var lines = report.findings.map(\.description) + report.notes.map { "note: \($0)" }
    let rows =
      "\(RunReport.grouped(report.bronzeRows)) rows and "
      + "\(RunReport.grouped(report.deadLetterRows)) dead letters in \(report.files) files"
    if let silver = report.silver { lines.append(text(silver)) }
    let count = report.findings.count
    lines.append(
      report.isSound
        ? "sound: \(rows), the accounting of \(report.batches) batches"
        : "\(count) \(count == 1 ? "finding" : "findings") in \(rows); nothing was changed")
    return lines.map { PrintableText.escaping($0, limit: 2000) }.joined(separator: "\n")
  }

  private func text(_ silver: SilverCounts) -> String {
    let open = RunReport.grouped(silver.openSessions)
    let text =
      "silver: \(RunReport.grouped(silver.sessions)) sessions (\(open) open) and "
      + "\(RunReport.grouped(silver.events)) events in \(silver.files) files, the accounting of "
      + "\(silver.batches) batches"
    guard let rows = silver.recomputedRows else { return text }
    return text + "; computed again from \(RunReport.grouped(rows)) rows"
  }

  private func document(_ report: VerificationReport) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("sound", report.isSound)
    writer.field("rows", report.bronzeRows)
    writer.field("deadLetters", report.deadLetterRows)
    writer.field("files", report.files)
    writer.field("batches", report.batches)
    if let silver = report.silver { write(silver, to: &writer) }
    writer.key("findings")
    writer.beginArray()
    for finding in report.findings {
      writer.beginObject()
      writer.field("code", finding.code)
      writer.field("place", finding.place)
      writer.field("expected", finding.expected)
      writer.field("found", finding.found)
      writer.endObject()
    }
    writer.endArray()
    writer.key("notes")
    writer.beginArray()
    for note in report.notes { writer.string(note) }
    writer.endArray()
    writer.endObject()
    return writer.text
  }

  private func write(_ silver: SilverCounts, to writer: inout JSONWriter) {
    writer.key("silver")
    writer.beginObject()
    writer.field("sessions", silver.sessions)
    writer.field("openSessions", silver.openSessions)
    writer.field("events", silver.events)
    writer.field("files", silver.files)
    writer.field("batches", silver.batches)
    if let rows = silver.recomputedRows { writer.field("recomputedRows", rows) }
    writer.endObject()
  }
}
