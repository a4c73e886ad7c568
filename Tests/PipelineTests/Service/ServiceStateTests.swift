import JSON
import Systemd
import Testing

@testable import Pipeline

struct ServiceStateTests {
  private let state = ServiceState(heartbeat: Heartbeat())
  private static let failure = PipelineError("KAFKA_UNAVAILABLE", .unavailable, "m", remedy: "r")

  private func run(_ result: Result<RunReport, PipelineError> = .success(RunReport())) -> RunRecord
  {
    RunRecord(number: state.beginRun(), startedMs: 1000, milliseconds: 500, result)
  }

  @Test func `Each state follows from what happened and what was ordered`() {
    #expect(state.snapshot.state == .starting)
    state.noteReady()
    #expect(state.snapshot.state == .idle)
    let record = run(.failure(Self.failure))
    #expect(state.snapshot.state == .running)
    _ = state.endRun(record, nextRunIn: nil)
    #expect(state.snapshot.state == .waiting)
    #expect(state.setPaused(true))
    #expect(state.snapshot.state == .paused)
    #expect(!state.setPaused(true))
    state.noteStopping()
    #expect(state.snapshot.state == .stopping)
  }

  @Test func `Requests before a run are met by it, those during it by the next one`() {
    #expect(state.requestRun() == 1)
    #expect(state.requestRun() == 1)
    #expect(state.beginRun() == 1)
    #expect(!state.isRunRequested)
    #expect(state.requestRun() == 2)
    #expect(state.isRunRequested)
  }

  @Test func `Failures in a row are counted, and a success ends the count`() {
    for count in 1...3 {
      #expect(state.endRun(run(.failure(Self.failure)), nextRunIn: nil).failures == count)
    }
    let end = state.endRun(run(), nextRunIn: nil)
    #expect(end.failures == 0 && end.before == 3)
    #expect(state.snapshot.lastSuccessMs == 1500)
  }

  @Test func `Only the last hundred runs are kept`() {
    for _ in 1...120 { _ = state.endRun(run(), nextRunIn: nil) }
    #expect(state.snapshot.runs.map(\.number) == Array(21...120))
  }

  @Test func `A pause hides the next run and does not forget it`() {
    state.noteReady()
    state.noteNextRun(in: 60_000)
    _ = state.setPaused(true)
    #expect(state.snapshot.nextRunMs == nil)
    _ = state.setPaused(false)
    let wait = state.snapshot.nextRunMs.map { $0 - state.snapshot.nowMs } ?? 0
    #expect((59_000...60_000).contains(wait))
  }
}

struct ServiceSnapshotTests {
  private static var full: ServiceSnapshot {
    var report = RunReport()
    (report.batches, report.good, report.dead, report.bronzeVersion) = (2, 1840, 2, 7)
    var snapshot = ServiceSnapshot(pid: 42, version: "1.2", startedMs: 5)
    (snapshot.nowMs, snapshot.isReady, snapshot.isPaused, snapshot.silentMs) = (9, true, true, 3)
    (snapshot.nextRunMs, snapshot.lastSuccessMs, snapshot.refusedReloadMs) = (100, 6, 8)
    snapshot.note(RunRecord(number: 1, startedMs: 1, milliseconds: 800, .success(report)))
    snapshot.note(
      RunRecord(
        number: 2, startedMs: 2, milliseconds: 1,
        .failure(PipelineError("LOW_DISK", .system, "a \"disk\"\n", remedy: "make room"))))
    snapshot.plannedEnds = [0: 12, 11: 1 << 62]
    snapshot.current = .init(
      number: 3, startedMs: 7,
      progress: RunProgress(query: "bronze", phase: .getBatch, batch: 9, done: 1, total: 4))
    return snapshot
  }

  private func copy(_ snapshot: ServiceSnapshot) throws -> ServiceSnapshot? {
    var writer = JSONWriter()
    snapshot.write(to: &writer)
    return try JSONValue.parse(writer.text).objectValue.flatMap(ServiceSnapshot.init)
  }

  @Test func `What crosses the socket arrives whole`() throws {
    #expect(try copy(Self.full) == Self.full)
    let bare = ServiceSnapshot(pid: 1, version: "", startedMs: 0)
    #expect(try copy(bare) == bare)
  }

  @Test func `The status line says state, last run and next run`() {
    var snapshot = Self.full
    snapshot.refusedReloadMs = nil
    #expect(snapshot.sentence == "run 3, bronze batch 9, getBatch: 1 of 4")
    snapshot.silentMs = 42_900
    #expect(snapshot.sentence.hasSuffix("getBatch: 1 of 4; no progress for 42 s"))
    snapshot.current = nil
    snapshot.isPaused = false
    let time = ClockText.timeOfDay(100)
    #expect(snapshot.sentence.hasPrefix("waiting; next try \(time); the last run failed; run 2 "))
    #expect(snapshot.sentence.contains("[LOW_DISK]"))
    snapshot.runs.removeLast()
    snapshot.consecutiveFailures = 0
    let end = ClockText.timeOfDay(801)
    #expect(
      snapshot.sentence == "idle; run 1 ok at \(end) (1,842 records, 2 dead, 0.8 s); next \(time)")
    snapshot.refusedReloadMs = 8
    #expect(
      snapshot.sentence.hasSuffix("; the configuration of \(ClockText.timeOfDay(8)) was refused"))
  }

  @Test(
    arguments: [
      (0, "0 s"), (42_999, "42 s"), (60_000, "1 min"), (242_000, "4 min 2 s"),
      (9_660_000, "2 h 41 min"), (266_400_000, "3 d 2 h"), (-5, "0 s"),
    ] as [(Int64, String)])
  func `Spans have their two largest units`(milliseconds: Int64, text: String) {
    #expect(ClockText.span(milliseconds) == text)
  }
}
