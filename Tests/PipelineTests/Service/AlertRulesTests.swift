import JSON
import Systemd
import Testing

@testable import Pipeline

/// Who is told what, and how often.
struct AlertRulesTests {
  private static let start = ClockReading(monotonic: 1_000_000, wall: 1_795_533_600_000)

  private var now = Self.start
  private let trouble = PipelineError(
    "KAFKA_UNAVAILABLE", .unavailable, "nobody answers", remedy: "start the brokers")

  private func rules(after: Int = 1, patience: Duration = .seconds(900)) -> AlertRules {
    AlertRules(after: after, patience: patience, now: Self.start)
  }

  @Test func `A row of failures is told once, its end once`() throws {
    var rules = rules(after: 3)
    #expect(rules.noteFailure(trouble) == nil)
    #expect(rules.noteFailure(trouble) == nil)
    let told = rules.noteFailure(trouble)
    let alert = try #require(told)
    #expect(alert.event == .failing)
    #expect(alert.code == "KAFKA_UNAVAILABLE")
    #expect(alert.consecutiveFailures == 3)
    #expect(alert.text.contains("nobody answers"))
    #expect(rules.noteFailure(trouble) == nil)
    #expect(rules.noteSuccess(now)?.event == .recovered)
    #expect(rules.noteSuccess(now) == nil)
  }

  @Test(arguments: [(PipelineError.Kind.damaged, true), (.configuration, true), (.system, false)])
  func `Only an end that no restart follows waits for an operator`(
    kind: PipelineError.Kind, isFinal: Bool
  ) throws {
    var rules = rules()
    let alert = rules.noteStop(PipelineError("X", kind, "it is so", remedy: "look"))
    #expect(try #require(alert).text.hasPrefix("stopped until an operator acts") == isFinal)
  }

  @Test func `A calendar's pause is no silence, and a start that was missed is`() throws {
    // A Tuesday, 2026-11-24 15:20 UTC.
    let hour: Int64 = 3_600_000
    func later(_ hours: Int64) -> ClockReading {
      ClockReading(
        monotonic: Self.start.monotonic + hours * hour, wall: Self.start.wall + hours * hour)
    }
    let weekly = try CalendarExpression("Tue 15:20 UTC")
    var rules = AlertRules(after: 1, patience: .seconds(86_400), calendar: weekly, now: later(-1))
    #expect(rules.noteSuccess(now) == nil)
    #expect(rules.noteTime(later(7 * 24 + 23)) == nil)
    #expect(rules.noteTime(later(8 * 24))?.event == .noSuccess)
  }

  @Test func `A success in between begins the count anew`() {
    var rules = rules(after: 2)
    #expect(rules.noteFailure(trouble) == nil)
    #expect(rules.noteSuccess(now) == nil)
    #expect(rules.noteFailure(trouble) == nil)
    #expect(rules.noteFailure(trouble)?.event == .failing)
  }

  @Test mutating func `That nothing succeeds is told once, by the clock that nobody sets`() {
    var rules = rules()
    now.wall += 365 * 86_400_000
    #expect(rules.noteTime(now) == nil)
    now.monotonic += 899_999
    #expect(rules.noteTime(now) == nil)
    now.monotonic += 1
    #expect(rules.noteTime(now)?.event == .noSuccess)
    #expect(rules.noteTime(now) == nil)
    #expect(rules.noteSuccess(now)?.event == .recovered)
    now.monotonic += 900_000
    #expect(rules.noteTime(now)?.event == .noSuccess)
  }

  @Test func `A stop is told at once, whatever the count`() throws {
    var rules = rules(after: 100)
    let told = rules.noteStop(trouble)
    let alert = try #require(told)
    #expect(alert.event == .stopped)
    #expect(alert.lastSuccess == nil)
  }

  @Test func `Reloaded rules remember what was told`() {
    var old = rules()
    #expect(old.noteFailure(trouble) != nil)
    var new = old.adopting(after: 1, patience: .seconds(60))
    #expect(new.noteFailure(trouble) == nil)
    #expect(new.noteSuccess(now)?.event == .recovered)
  }

  @Test func `The document is JSON, whatever the error holds`() throws {
    var rules = rules()
    let nasty = PipelineError("X", .system, "a \"b\"\n\u{1B}[31m\u{0}\u{202E}", remedy: "none")
    let told = rules.noteFailure(nasty)
    let alert = try #require(told)
    let object = try #require(try JSONValue.parse(alert.document(host: "h")).objectValue)
    #expect(object.string("event") == "failing")
    #expect(object.string("text")?.contains("a \"b\"") == true)
    #expect(object.string("text")?.contains("\\u{202e}") == true)
    #expect(object["lastSuccessMs"] == .null)
  }
}
