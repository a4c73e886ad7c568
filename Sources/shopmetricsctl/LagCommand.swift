import JSON
import Pipeline
import Systemd

/// `shopmetricsctl lag`: each partition's checkpoint beside its end.
///
/// The daemon asks the brokers, since only it may have the credentials; without a daemon the tool
/// asks them itself.
struct LagCommand {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func execute(json: Bool) throws(PipelineError) -> ExitStatus {
    let report = try ask()
    if json {
      var writer = JSONWriter()
      report.write(to: &writer)
      print(writer.text)
    } else {
      Operator.tell(text(report).joined(separator: "\n"))
    }
    return report.isStopped ? .attention : .success
  }

  private func ask() throws(PipelineError) -> LagReport {
    if let report = try ControlClient(path: configuration.controlSocketPath).lag() { return report }
    return try LagReport.ask(configuration, log: .silent)
  }

  private func text(_ report: LagReport) -> [String] {
    var table = TextTable([
      ("PARTITION", .left), ("CHECKPOINT", .right), ("END", .right), ("LAG", .right),
      ("OLDEST WAITING", .right),
    ])
    for partition in report.partitions {
      table.add(cells(partition, at: report.askedMs))
    }
    return [heading(report)] + table.lines
      + report.partitions.filter { $0.code != nil }.map { partition in
        "partition \(partition.partition) is stopped [\(partition.code ?? "")]: "
          + (partition.trouble ?? "")
      }
  }

  private func heading(_ report: LagReport) -> String {
    var parts = ["topic \(report.topic)"]
    if let cluster = report.clusterID { parts.append("cluster \(cluster)") }
    parts.append("\(RunReport.grouped(report.lag)) waiting")
    if let speed = report.recordsPerSecond.flatMap({ Int64(exactly: $0.rounded()) }) {
      parts.append("\(RunReport.grouped(speed)) records/s")
    }
    if report.lag > 0, let remaining = report.remainingMs {
      parts.append("done in about \(ClockText.span(remaining))")
    }
    return parts.joined(separator: "; ")
  }

  private func cells(_ partition: LagReport.Partition, at now: Int64) -> [String] {
    [
      String(partition.partition), RunReport.grouped(partition.position),
      partition.end.map(RunReport.grouped) ?? "-", RunReport.grouped(partition.lag),
      partition.oldestWaitingMs.map { ClockText.span(now - $0) } ?? "-",
    ]
  }
}
