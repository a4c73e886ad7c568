import Kafka
import Testing

@testable import Pipeline

struct KafkaPlanTests {
  private func plan(
    _ position: [Int32: Int64], from beginning: [Int32: Int64], to end: [Int32: Int64],
    pendingEnd: [Int32: Int64]? = nil, onMissingData: LossSettings.OnMissingData = .stop
  ) throws -> KafkaPlan {
    try KafkaPlan(
      topic: "t", position: position, pendingEnd: pendingEnd,
      bounds: TopicBounds(beginning: beginning, end: end), onMissingData: onMissingData)
  }

  private func code(_ body: () throws -> KafkaPlan) -> String? {
    do {
      _ = try body()
      return nil
    } catch {
      return (error as? PipelineError)?.code
    }
  }

  @Test func `a run goes from the checkpoint to the end`() throws {
    let plan = try plan([0: 5, 1: 7], from: [0: 0, 1: 7], to: [0: 9, 1: 7])
    #expect(plan.start == [0: 5, 1: 7])
    #expect(plan.target == [0: 9, 1: 7])
    #expect(plan.lost.isEmpty && !plan.isEmpty)
  }

  @Test func `a partition that was added is read from 0, and what it lost is lost by name`() throws
  {
    #expect(try plan([0: 5], from: [0: 0, 1: 0], to: [0: 5, 1: 3]).start == [0: 5, 1: 0])
    #expect(code { try plan([0: 5], from: [0: 0, 1: 2], to: [0: 5, 1: 3]) } == "KAFKA_DATA_LOSS")
    let accepted = try plan(
      [0: 5], from: [0: 0, 1: 2], to: [0: 5, 1: 3], onMissingData: .continue)
    #expect(accepted.lost == [1: 0..<2])
    #expect(accepted.fetchStart == [0: 5, 1: 2])
  }

  @Test func `a log that is shorter, or a partition less, is refused`() {
    #expect(code { try plan([0: 5], from: [0: 0], to: [0: 4]) } == "LOG_TRUNCATED")
    #expect(
      code { try plan([0: 5], from: [0: 0], to: [0: 6], pendingEnd: [0: 7]) } == "LOG_TRUNCATED")
    #expect(code { try plan([0: 5, 1: 0], from: [0: 0], to: [0: 5]) } == "PARTITIONS_DELETED")
  }

  @Test func `only partitions with news are compared, and only where the record can be there`()
    throws
  {
    func record(_ offset: Int64) -> RecordProof { RecordProof(offset: offset, hash: 1) }
    let plan = try plan(
      [0: 5, 1: 5, 2: 5, 3: 5], from: [0: 0, 1: 0, 2: 5, 3: 6], to: [0: 9, 1: 5, 2: 9, 3: 9],
      onMissingData: .continue)
    let proofs = plan.proofs([0: record(4), 1: record(4), 2: record(4), 3: record(4)])
    #expect(proofs.comparable == [0: record(4)])
    #expect(proofs.gone == [2], "what is lost by name needs no second name")
  }
}
