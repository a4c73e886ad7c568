import Clickstream
import JSON
import Pipeline
import Systemd

/// `shopmetricsctl dead-letters`: records that are not events, to look at and to decode again.
struct DeadLettersCommand {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  // MARK: List

  func list(json: Bool, reason: DeadLetterReason?, count: Int) throws -> ExitStatus {
    let list = try LetterList(configuration, count: count, reason: reason)
    guard !json else {
      print(document(list))
      return .success
    }
    for letter in list.letters { print(text(letter)) }
    let shown = RunReport.grouped(Int64(list.letters.count))
    print("\(shown) shown, \(list.tableCount.map(RunReport.grouped) ?? "more") in the table")
    return .success
  }

  private func text(_ letter: LetterList.Letter) -> String {
    var lines = [
      "\(letter.ingestedAtText ?? "no time")  partition \(number(letter.partition)), offset "
        + "\(number(letter.offset))  \(letter.reason)",
      "    \(letter.detail)",
    ]
    if let key = letter.key { lines.append("    key   \(text(key))") }
    if let value = letter.value { lines.append("    value \(text(value))") }
    return lines.map { PrintableText.escaping($0, limit: 2000) }.joined(separator: "\n")
  }

  private func text(_ excerpt: LetterList.Excerpt) -> String {
    let start = String(decoding: excerpt.start, as: UTF8.self)
    let rest = excerpt.byteCount > excerpt.start.count ? "…" : ""
    return "(\(RunReport.grouped(Int64(excerpt.byteCount))) bytes) \(start)\(rest)"
  }

  private func number(_ value: Int64?) -> String { value.map(String.init) ?? "none" }

  private func document(_ list: LetterList) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("inTable", optional: list.tableCount)
    writer.key("letters")
    writer.beginArray()
    for letter in list.letters { write(letter, to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.text
  }

  private func write(_ letter: LetterList.Letter, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("partition", optional: letter.partition)
    writer.field("offset", optional: letter.offset)
    writer.field("kafkaTimestampUs", optional: letter.timestamp)
    writer.field("ingestedAtUs", optional: letter.ingestedAt)
    writer.field("reason", letter.reason)
    writer.field("detail", letter.detail)
    writer.field("headers", optional: letter.headers)
    for (name, excerpt) in [("key", letter.key), ("value", letter.value)] {
      writer.key(name)
      guard let excerpt else {
        writer.null()
        continue
      }
      writer.beginObject()
      writer.field("bytes", Int64(excerpt.byteCount))
      writer.field(
        "start", PrintableText.escaping(String(decoding: excerpt.start, as: UTF8.self)))
      writer.endObject()
    }
    writer.endObject()
  }

  // MARK: Retry

  /// Without confirmation only says what would be done.
  func retry(_ selection: LetterSelection, isConfirmed: Bool) throws -> ExitStatus {
    guard isConfirmed else {
      print(plan(try DeadLetterRetry.preview(selection, configuration)))
      return .success
    }
    let lock = try Operator.lock(configuration.paths)
    Interruption.catchSignals()
    let retry = DeadLetterRetry(
      configuration: configuration, lock: lock, log: Operator.log(configuration))
    let outcome = try withExtendedLifetime(lock) {
      try retry.execute(selection) { Interruption.isRequested }
    }
    print(text(outcome))
    return outcome.wasStopped ? .lockHeld : .success
  }

  private func plan(_ preview: DeadLetterRetry.Preview) -> String {
    let rows = RunReport.grouped(preview.tally.good)
    let files = RunReport.grouped(Int64(preview.files))
    let bytes = RunReport.grouped(preview.bytes)
    let paths = configuration.paths
    var lines = table(preview.tally)
    lines.append(
      preview.tally.good + preview.tally.changed == 0
        ? "There is nothing to do: the present limits and columns change no letter."
        : """
        would add          \(rows) rows to \(paths.bronze)
        would write anew   \(files) files, \(bytes) bytes, of \(paths.deadLetter)
        The rows keep the coordinates of their records. Silver counts them with the next run.
        Nothing was changed; add --yes to do it. Stop the daemon first.
        """)
    return PrintableText.escapingLines(lines.joined(separator: "\n"))
  }

  private func text(_ outcome: DeadLetterRetry.Outcome) -> String {
    var lines = table(outcome.tally)
    func version(_ version: Int64?) -> String { version.map { "v\($0)" } ?? "no table" }
    lines.append(
      outcome.commits == 0
        ? "Nothing was changed."
        : "\(RunReport.grouped(outcome.tally.good)) letters are events now; bronze "
          + "\(version(outcome.bronzeVersion)), dead letter \(version(outcome.deadLetterVersion)). "
          + "Silver counts them with the next run.")
    if outcome.wasStopped { lines.append("Stopped; the same command takes up the other letters.") }
    return PrintableText.escapingLines(lines.joined(separator: "\n"))
  }

  private func table(_ tally: LetterTally) -> [String] {
    guard !tally.reasons.isEmpty else { return ["No letter has that reason."] }
    var table = TextTable([
      ("REASON", .left), ("EVENTS NOW", .right), ("OTHER REASON", .right), ("AS BEFORE", .right),
    ])
    for (reason, counts) in tally.reasons.sorted(by: { $0.key < $1.key }) {
      table.add([reason] + [counts.good, counts.changed, counts.unchanged].map(RunReport.grouped))
    }
    return table.lines
  }
}
