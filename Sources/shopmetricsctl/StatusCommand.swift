import Clickstream
import Glibc
import JSON
import Pipeline
import Systemd

/// `shopmetricsctl status`: where the stream is, from the files alone.
struct StatusCommand {
  private let state: StateReader
  private let silver: SilverStatus

  init(_ configuration: Configuration) throws {
    state = try StateReader(configuration)
    silver = try SilverStatus(configuration)
  }

  func execute(json: Bool) throws -> ExitStatus {
    print(json ? try document() : PrintableText.escapingLines(try text()))
    return .success
  }

  private func text() throws -> String {
    var lines: [String] = []
    lines.append(state.holder().map { "daemon    running (pid \($0))" } ?? "daemon    not running")
    if let accounting = state.accounting {
      lines += batch(accounting)
    } else if let newest = state.newestOffsets {
      lines.append("batch     \(newest.batch): no accounting of ours\(age)")
    } else {
      lines.append("stream    no batch yet")
      return lines.joined(separator: "\n")
    }
    lines.append(try table("bronze", state.bronzeVersion, try state.bronzeSize()))
    lines.append(try table("letters", state.deadLetterVersion, try state.deadLetterSize()))
    lines += silverLines
    lines.append("read      duckdb -c \"FROM delta_scan('file://\(state.paths.bronze)')\"")
    lines.append("          polars: pl.read_delta(\"\(state.paths.bronze)\")")
    return lines.joined(separator: "\n")
  }

  private func batch(_ accounting: BatchAccounting) -> [String] {
    var lines: [String] = []
    lines.append(
      "batch     \(accounting.batch): \(RunReport.grouped(accounting.goodCount)) rows, "
        + "\(RunReport.grouped(accounting.deadCount)) dead\(age)")
    lines.append("PARTITION          OFFSET            ROWS   DEAD  ABSENT")
    for (partition, account) in accounting.partitions.sorted(by: { $0.key < $1.key }) {
      lines.append(
        [
          padded(String(partition), 9), padded(RunReport.grouped(account.end), 15),
          padded(RunReport.grouped(account.total.good), 15),
          padded(RunReport.grouped(account.total.dead), 6),
          padded(RunReport.grouped(account.total.absent), 7),
        ].joined(separator: " "))
    }
    return lines
  }

  private var age: String {
    ageSeconds.map { ", \(RunReport.grouped($0)) s ago" } ?? ""
  }

  /// Since the newest batch was planned.
  private var ageSeconds: Int64? {
    state.newestOffsets.map { max(0, wallClockMilliseconds() - $0.timestampMs) / 1000 }
  }

  private func table(
    _ name: String, _ version: Int64?, _ size: StateReader.TableSize
  ) throws -> String {
    guard let version else { return "\(name)    no table yet" }
    let padding = String(repeating: " ", count: max(1, 10 - name.count))
    return "\(name)\(padding)v\(version), \(size.files) files, "
      + "\(RunReport.grouped(size.bytes)) bytes"
  }

  private var silverLines: [String] {
    guard let accounting = silver.accounting else { return ["silver    no batch yet"] }
    var lines = [
      "silver    batch \(accounting.batch): \(RunReport.grouped(accounting.total.unique)) events in "
        + "\(RunReport.grouped(silver.openSessions)) open and "
        + "\(RunReport.grouped(silver.finalSessions)) final sessions, "
        + "\(RunReport.grouped(accounting.total.duplicates)) duplicates dropped",
      "          watermark \(EventTime.format(silver.watermarkMs * 1000))",
    ]
    for (name, table) in [("sessions", silver.sessions), ("events", silver.events)] {
      guard let table else { continue }
      let padding = String(repeating: " ", count: 10 - name.count)
      lines.append(
        "\(name)\(padding)v\(table.version), \(table.files) files, "
          + "\(RunReport.grouped(table.bytes)) bytes"
          + (table.removedBytes > 0
            ? ", and \(RunReport.grouped(table.removedBytes)) in removed files" : ""))
    }
    if silver.isBeingRebuilt {
      lines.append("          a rebuild is unfinished: \(SilverRebuild.command) goes on")
    }
    return lines
  }

  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func document() throws -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("daemonPid")
    if let pid = state.holder() { writer.int(Int64(pid)) } else { writer.null() }
    writer.key("lastBatchAgeSeconds")
    if let ageSeconds { writer.int(ageSeconds) } else { writer.null() }
    writer.key("accounting")
    if var accounting = state.accounting {
      // The log lines of the other table are no status, and hold bounds of its rows.
      accounting.second = nil
      writer.raw(accounting.json)
    } else {
      writer.null()
    }
    for (name, path, version, size) in [
      ("bronze", state.paths.bronze, state.bronzeVersion, try state.bronzeSize()),
      (
        "deadLetter", state.paths.deadLetter, state.deadLetterVersion,
        try state.deadLetterSize()
      ),
    ] {
      writer.key(name)
      guard let version else {
        writer.null()
        continue
      }
      writer.beginObject()
      writer.field("path", path)
      writer.field("version", version)
      writer.field("files", size.files)
      writer.field("bytes", size.bytes)
      writer.endObject()
    }
    writeSilver(to: &writer)
    writer.endObject()
    return writer.text
  }

  private func writeSilver(to writer: inout JSONWriter) {
    writer.key("silver")
    guard var accounting = silver.accounting else { return writer.null() }
    accounting.second = nil
    writer.beginObject()
    writer.field("accounting", raw: accounting.json)
    writer.field("watermarkMs", silver.watermarkMs)
    writer.field("openSessions", silver.openSessions)
    writer.field("finalSessions", silver.finalSessions)
    for (name, table) in [("sessions", silver.sessions), ("events", silver.events)] {
      writer.key(name)
      guard let table else {
        writer.null()
        continue
      }
      writer.beginObject()
      writer.field("path", table.path)
      writer.field("version", table.version)
      writer.field("files", table.files)
      writer.field("bytes", table.bytes)
      writer.field("removedBytes", table.removedBytes)
      writer.endObject()
    }
    writer.endObject()
  }
}
