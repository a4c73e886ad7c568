import Clickstream
import Foundation
import JSON
import Testing

@testable import Pipeline

@Suite("The accounting of retries of dead letters")
struct RetryAccountingTests {
  private var accounting: RetryAccounting {
    var moved = RetryAccounting.Partition(
      total: PartitionAccount.Total(start: 10, good: 5, dead: 2, absent: 1))
    moved.move(offset: 12)
    moved.move(offset: 9)
    return RetryAccounting(
      number: 3, topic: "clicks", partitions: [0: moved, 7: RetryAccounting.Partition()],
      second: BatchAccounting.SecondTable(
        table: "clickstream_dead_letter", actions: [.object(JSONObject())]))
  }

  @Test func `A letter that moves is good instead of dead`() throws {
    let partition = try #require(accounting.partitions[0])
    #expect(partition.total == PartitionAccount.Total(start: 10, good: 6, dead: 1, absent: 1))
    #expect(partition.moved == 1)
    #expect(partition.movedEarlier == 1)
  }

  @Test func `Letters that the totals do not count leave them alone`() {
    var unknown = RetryAccounting.Partition()
    unknown.move(offset: 4)
    #expect((unknown.moved, unknown.movedEarlier) == (0, 1))
    var twice = RetryAccounting.Partition(
      total: PartitionAccount.Total(start: 0, good: 0, dead: 1))
    twice.move(offset: 4)
    twice.move(offset: 4)
    #expect(twice.total == PartitionAccount.Total(start: 0, good: 1, dead: 0))
    #expect((twice.moved, twice.movedEarlier) == (1, 1))
  }

  @Test func `It reads back as it was written`() throws {
    let object = try #require(try JSONValue.parse(accounting.json).objectValue)
    #expect(RetryAccounting(object) == accounting)
  }

  @Test(arguments: [
    (#""moved":1"#, #""moved":-1"#), (#""moved":1"#, #""moved":"1""#),
    (#""dead":1"#, #""dead":-1"#),
    (#""good":6"#, #""good":9223372036854775807"#), (#""total""#, #""totals""#),
    (#""batch":3"#, #""batch":null"#), (#""second""#, #""third""#), (#""7""#, #""seven""#),
    ("clickstream_retry", "clickstream_bronze"),
  ])
  func `Another shape is none`(text: String, other: String) throws {
    let json = accounting.json
    let start = try #require(json.firstRange(of: text))
    let changed = json.replacingCharacters(in: start, with: other)
    let object = try #require(try JSONValue.parse(changed).objectValue)
    if text == #""total""# {
      // Totals may be absent: then nothing is known of them.
      #expect(RetryAccounting(object)?.partitions[0]?.total == nil)
    } else {
      #expect(RetryAccounting(object) == nil)
    }
  }

  @Test(arguments: [
    (nil, nil, RetryObservation.Meaning.complete), (4, 4, .complete), (0, nil, .pending(0)),
    (4, 3, .pending(4)), (nil, 0, .contradiction), (3, 4, .contradiction), (4, 2, .contradiction),
    (1, nil, .contradiction),
  ])
  func `Both tables tell whether a retry is complete`(
    first: Int64?, second: Int64?, meaning: RetryObservation.Meaning
  ) {
    #expect(RetryObservation(first: first, second: second).meaning == meaning)
  }

  @Test func `Lost ranges are never chosen`() {
    #expect(LetterSelection(.dataLoss) == nil)
    #expect(!LetterSelection.all.includes("data_loss"))
    #expect(LetterSelection.all.includes("too_large"))
    #expect(LetterSelection(.tooLarge)?.includes("too_deep") == false)
  }
}
