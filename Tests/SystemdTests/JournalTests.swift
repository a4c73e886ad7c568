import Glibc
import Testing

@testable import Systemd

struct JournalTests {
  /// A pipe in the place of standard error.
  private final class Pipe {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
      close(readEnd)
      close(writeEnd)
    }

    func text() -> String {
      var buffer = [UInt8](repeating: 0, count: 1 << 17)
      let count = read(readEnd, &buffer, buffer.count)
      return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
  }

  private func journal(_ destination: Journal.Destination, _ pipe: Pipe) -> Journal {
    Journal(
      identifier: "shopmetricsd", destination: destination, standardError: pipe.writeEnd)
  }

  @Test func `A terminal gets the time of day before the text`() throws {
    let pipe = try Pipe()
    journal(.timestamped, pipe).write(priority: 6, "batch 12 done")
    let text = pipe.text()
    #expect(text.contains(try Regex(#"^\d\d:\d\d:\d\d batch 12 done\n$"#)), "\(text)")
  }

  @Test func `A reader of priorities gets the number before the text`() throws {
    let pipe = try Pipe()
    journal(.prefixed, pipe).write(priority: 3, "disk is full")
    #expect(pipe.text() == "<3>disk is full\n")
  }

  @Test func `A record cannot forge a line, a priority or a terminal command`() throws {
    let pipe = try Pipe()
    journal(.prefixed, pipe).write(priority: 5, "key \n<0>panic\r\u{1B}]0;x\u{7}\u{2028}\u{202E}")
    #expect(
      pipe.text()
        == "<5>key \\u{a}<0>panic\\u{d}\\u{1b}]0;x\\u{7}\\u{2028}\\u{202e}\n")
  }

  @Test func `Letters of every language stay as they are`() {
    #expect(PrintableText.escaping("Köln 東京 👩‍🚀") == "Köln 東京 👩\\u{200d}🚀")
  }

  @Test func `A long text is cut with a sign that it was`() {
    #expect(PrintableText.escaping("abcdef", limit: 3) == "abc…")
  }

  @Test func `A full pipe loses lines and never holds up the caller`() throws {
    let pipe = try Pipe()
    let sink = journal(.prefixed, pipe)
    let line = String(repeating: "x", count: 4000)
    // A pipe holds 64 KiB by default; a blocking write would never return from this loop.
    for _ in 0..<64 { sink.write(priority: 6, line) }
    #expect(pipe.text().hasPrefix("<6>xxxx"))
  }

  @Test func `A closed standard error is no error`() {
    Journal(identifier: "shopmetricsd", destination: .prefixed, standardError: -1)
      .write(priority: 3, "nobody listens")
  }

  @Test func `The journal is chosen only when standard error is its stream`() throws {
    let pipe = try Pipe()
    var status = stat()
    try #require(fstat(pipe.writeEnd, &status) == 0)
    let stream = "\(status.st_dev):\(status.st_ino)"
    #expect(detected(stream, pipe) == .native)
    #expect(detected("\(status.st_dev):\(status.st_ino + 1)", pipe) == .timestamped)
    #expect(detected("nonsense", pipe) == .timestamped)
    #expect(detected(nil, pipe) == .timestamped)
  }

  private func detected(_ stream: String?, _ pipe: Pipe) -> Journal.Destination {
    Journal.detectedDestination(journalStream: stream, descriptor: pipe.writeEnd)
  }

  @Test func `A line of a known kind carries its id`() {
    let journal = Journal(identifier: "shopmetricsd", destination: .prefixed)
    let id = "0123456789abcdef0123456789abcdef"
    let entries = journal.entries(6, "batch 12 done", messageID: id, [])
    #expect(entries.map { String(decoding: $0, as: UTF8.self) }.contains("MESSAGE_ID=\(id)"))
  }

  @Test func `An entry has the standard fields and ours with their prefix`() {
    let journal = Journal(identifier: "shopmetricsd", destination: .prefixed)
    let entries = journal.entries(
      4, "late", [("kafka-partition", "3"), ("topic", "a=b\nMESSAGE=c")])
    #expect(
      entries.map { String(decoding: $0, as: UTF8.self) } == [
        "MESSAGE=late", "PRIORITY=4", "SYSLOG_IDENTIFIER=shopmetricsd",
        "SHOPMETRICS_KAFKA_PARTITION=3", "SHOPMETRICS_TOPIC=a=b\nMESSAGE=c",
      ])
  }
}
