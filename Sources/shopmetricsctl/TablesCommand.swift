import JSON
import Pipeline
import Systemd

/// `shopmetricsctl tables`: what there is to query, and what it takes.
struct TablesCommand {
  private let tables: [TableSummary]

  init(_ configuration: Configuration) throws {
    tables = try TableSummary.all(configuration.paths)
  }

  func execute(json: Bool) throws -> ExitStatus {
    if json {
      print(document())
    } else {
      let text = tables.map(text).joined(separator: "\n\n")
      print(tables.isEmpty ? "no tables yet" : PrintableText.escapingLines(text))
    }
    return .success
  }

  private func text(_ table: TableSummary) -> String {
    var lines = [
      table.name,
      "path     \(table.path)",
      "version  \(table.version), readable from \(table.oldestVersion) on",
      "rows     \(table.rows.map(RunReport.grouped) ?? "not stated") in "
        + "\(RunReport.grouped(Int64(table.files))) files, \(RunReport.grouped(table.bytes)) bytes",
    ]
    if table.removedBytes > 0 {
      lines.append(
        "kept     \(RunReport.grouped(table.removedBytes)) bytes for readers of older versions")
    }
    lines.append("query    \(table.duckDB)")
    return lines.joined(separator: "\n")
  }

  private func document() -> String {
    var writer = JSONWriter()
    writer.beginArray()
    for table in tables {
      writer.beginObject()
      writer.field("name", table.name)
      writer.field("path", table.path)
      writer.field("version", table.version)
      writer.field("oldestVersion", table.oldestVersion)
      writer.field("rows", optional: table.rows)
      writer.field("files", table.files)
      writer.field("bytes", table.bytes)
      writer.field("removedBytes", table.removedBytes)
      writer.endObject()
    }
    writer.endArray()
    return writer.text
  }
}
