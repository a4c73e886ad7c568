import Clickstream
import DurableIO
import Glibc
import JSON
import Pipeline
import Systemd

/// `shopmetricsctl status`: what the daemon says of itself, and where the stream is by the files
/// alone.
struct StatusCommand {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func execute(json: Bool, watches: Bool) throws -> ExitStatus {
    guard watches else {
      try show(json)
      return .success
    }
    Interruption.catchSignals()
    let isTerminal = isatty(STDOUT_FILENO) == 1
    while !Interruption.isRequested {
      // Home, and what was below.
      if isTerminal, !json { print("\u{1B}[H\u{1B}[J", terminator: "") }
      try show(json)
      fflush(nil)
      usleep(1_000_000)
    }
    return .success
  }

  private func show(_ json: Bool) throws {
    let service = ServiceText(configuration)
    // The daemon answers when the disk does not, so its part is not kept back for the other.
    if !json { Operator.tell(service.lines.joined(separator: "\n")) }
    let files = try FilesText(configuration)
    print(
      json
        ? try files.document(service) : PrintableText.escapingLines(try files.text()))
  }
}

/// What the daemon says of itself.
struct ServiceText {
  /// `nil` when no daemon answers.
  let snapshot: ServiceSnapshot?
  private let problem: PipelineError?
  private let holder: Int32?

  init(_ configuration: Configuration) {
    do {
      snapshot = try ControlClient(path: configuration.controlSocketPath).status()
      problem = nil
    } catch {
      snapshot = nil
      problem = error
    }
    holder = snapshot?.pid ?? InstanceLock.holder(path: configuration.paths.lock)
  }

  var pid: Int32? { holder }

  var lines: [String] {
    guard let snapshot else {
      let daemon = holder.map { "running (pid \($0)), it does not answer" } ?? "not running"
      return ["daemon    \(daemon)"] + (problem.map { ["          \($0)"] } ?? [])
    }
    var lines = [
      "daemon    running (pid \(snapshot.pid), \(snapshot.version), since "
        + "\(ClockText.dateAndTime(snapshot.startedMs)))",
      "state     \(snapshot.sentence)",
    ]
    if let current = snapshot.current, let progress = current.progress, let bar = progress.bar {
      lines.append("          \(bar)\(speed(snapshot, progress))")
    }
    if snapshot.consecutiveFailures > 0 {
      let success = snapshot.lastSuccessMs.map(ClockText.dateAndTime) ?? "none since the start"
      lines.append(
        "failing   \(snapshot.consecutiveFailures) in a row; last success: \(success)")
    }
    return lines
  }

  private func speed(_ snapshot: ServiceSnapshot, _ progress: RunProgress) -> String {
    guard let speed = snapshot.recordsPerSecond, speed >= 1 else { return "" }
    let left = Double(progress.total - progress.done) / speed * 1000
    return "  \(RunReport.grouped(Int64(speed))) records/s, "
      + "\(ClockText.span(Int64(left))) to go"
  }
}

/// Where the stream is by the files.
private struct FilesText {
  private let state: StateReader
  private let silver: SilverStatus

  init(_ configuration: Configuration) throws {
    state = try StateReader(configuration)
    silver = try SilverStatus(configuration)
  }

  func text() throws -> String {
    var lines: [String] = []
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
      "silver    batch \(accounting.batch): \(RunReport.grouped(accounting.total.unique)) events "
        + "in \(RunReport.grouped(silver.openSessions)) open and "
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

  func document(_ service: ServiceText) throws -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("daemonPid", optional: service.pid.map(Int64.init))
    writer.key("service")
    if let snapshot = service.snapshot { snapshot.write(to: &writer) } else { writer.null() }
    writer.field("lastBatchAgeSeconds", optional: ageSeconds)
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
