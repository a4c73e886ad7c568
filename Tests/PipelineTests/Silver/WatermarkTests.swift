import Pipeline
import Testing

@Suite struct WatermarkTests {
  private let watermark = Watermark(latenessMs: 600_000)

  @Test func `it stays behind the newest event`() {
    #expect(watermark.after(newestEvent: 2_000_000_000, current: 0) == 1_400_000)
  }

  @Test func `it never goes back`() {
    #expect(watermark.after(newestEvent: 2_000_000_000, current: 1_500_000) == 1_500_000)
    #expect(watermark.whenDrained(batchTimestampMs: 2_000_000, current: 1_500_000) == 1_500_000)
  }

  @Test func `a drained stream's follows the clock`() {
    #expect(watermark.whenDrained(batchTimestampMs: 2_500_000, current: 1_500_000) == 1_900_000)
  }

  @Test func `parts of a millisecond are not rounded up`() {
    #expect(Watermark(latenessMs: 0).after(newestEvent: 1_999, current: 0) == 1)
  }

  @Test(arguments: [Int64.min, -1, 0])
  func `without events of our time it is zero`(newest: Int64) {
    #expect(watermark.after(newestEvent: newest, current: 0) == 0)
  }
}
