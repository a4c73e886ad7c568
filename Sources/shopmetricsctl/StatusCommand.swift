import Glibc
import JSON
import Pipeline

/// `shopmetricsctl status`: where the stream is, from the files alone.
struct StatusCommand {
  private let state: StateReader

  init(_ configuration: Configuration) throws {
    state = try StateReader(configuration)
  }

  func execute(json: Bool) throws -> ExitStatus {
    print(json ? try document() : try text())
    return .success
  }

  private func text() throws -> String {
    var lines: [String] = []
    lines.append(state.holder().map { "daemon    running (pid \($0))" } ?? "daemon    not running")
    guard let accounting = state.accounting else {
      lines.append("stream    no batch yet")
      return lines.joined(separator: "\n")
    }
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
    lines.append(try table("bronze", state.bronzeVersion, try state.bronzeSize()))
    lines.append(try table("letters", state.deadLetterVersion, try state.deadLetterSize()))
    lines.append("read      duckdb -c \"FROM delta_scan('file://\(state.paths.bronze)')\"")
    lines.append("          polars: pl.read_delta(\"\(state.paths.bronze)\")")
    return lines.joined(separator: "\n")
  }

  private var age: String {
    guard let newest = state.newestOffsets else { return "" }
    let seconds = max(0, wallClockMilliseconds() - newest.timestampMs) / 1000
    return ", \(RunReport.grouped(seconds)) s ago"
  }

  private func table(
    _ name: String, _ version: Int64?, _ size: StateReader.TableSize
  ) throws -> String {
    guard let version else { return "\(name)    no table yet" }
    let padding = String(repeating: " ", count: max(1, 10 - name.count))
    return "\(name)\(padding)v\(version), \(size.files) files, "
      + "\(RunReport.grouped(size.bytes)) bytes"
  }

  private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func document() throws -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("daemonPid")
    if let pid = state.holder() { writer.int(Int64(pid)) } else { writer.null() }
    writer.key("accounting")
    if let accounting = state.accounting { writer.raw(accounting.json) } else { writer.null() }
    for (name, version, size) in [
      ("bronze", state.bronzeVersion, try state.bronzeSize()),
      ("deadLetter", state.deadLetterVersion, try state.deadLetterSize()),
    ] {
      writer.key(name)
      guard let version else {
        writer.null()
        continue
      }
      writer.beginObject()
      writer.field("version", version)
      writer.field("files", size.files)
      writer.field("bytes", size.bytes)
      writer.endObject()
    }
    writer.endObject()
    return writer.text
  }
}
