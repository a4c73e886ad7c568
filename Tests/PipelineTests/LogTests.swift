import Synchronization
import Testing

@testable import Pipeline

struct LogTests {
  /// A log whose lines can be looked at.
  private final class Lines: Sendable {
    private let stored = Mutex<[String]>([])
    var all: [String] { stored.withLock { $0 } }

    func log(_ level: LogLevel = .info) -> Log {
      Log(level: level) { level, text, fields in
        let code = fields.first { $0.name == "code" }.map { " [\($0.value)]" } ?? ""
        self.stored.withLock { $0.append("\(level.rawValue) \(text)\(code)") }
      }
    }
  }

  @Test func `A warning that comes again in a run is counted`() {
    let lines = Lines()
    let log = lines.log()
    for _ in 0..<1000 { log.warning("upkeep failed") }
    log.warning("another thing")
    #expect(lines.all == ["4 upkeep failed", "4 another thing"])
    log.endRun()
    #expect(lines.all.dropFirst(2) == ["4 999 more in this run: upkeep failed"])
  }

  @Test func `The next run says it again`() {
    let lines = Lines()
    let log = lines.log()
    for _ in 0..<2 {
      log.warning("upkeep failed")
      log.endRun()
    }
    #expect(lines.all == ["4 upkeep failed", "4 upkeep failed"])
  }

  @Test func `A code and a table make a kind, whatever else the text says`() {
    let lines = Lines()
    let log = lines.log()
    for version in 0..<3 {
      for table in ["a", "b"] {
        log.warning("\(table) v\(version)", [("code", "TABLE_DAMAGED"), ("table", table)])
      }
    }
    log.endRun()
    #expect(
      lines.all == [
        "4 a v0 [TABLE_DAMAGED]", "4 b v0 [TABLE_DAMAGED]",
        "4 2 more in this run: a v0 [TABLE_DAMAGED]", "4 2 more in this run: b v0 [TABLE_DAMAGED]",
      ])
  }

  @Test func `However many kinds there are, a run has a hundred warnings and one for the rest`() {
    let lines = Lines()
    let log = lines.log()
    for number in 0..<5000 { log.warning("warning \(number)") }
    log.endRun()
    #expect(lines.all.count == 101)
    #expect(lines.all.last == "4 4900 more in this run: further warnings")
  }

  @Test func `Errors and summaries are never held back`() {
    let lines = Lines()
    let log = lines.log()
    for _ in 0..<2 {
      log.error("run failed")
      log.notice("run ok")
    }
    log.endRun()
    #expect(lines.all == ["3 run failed", "5 run ok", "3 run failed", "5 run ok"])
  }

  @Test func `A warning below the level of the log is not counted either`() {
    let lines = Lines()
    let log = lines.log(.error)
    for _ in 0..<2 { log.warning("upkeep failed") }
    log.endRun()
    #expect(lines.all.isEmpty)
  }
}
