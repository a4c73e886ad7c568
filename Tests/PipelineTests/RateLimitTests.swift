import Pipeline
import Testing

@Suite struct RateLimitTests {
  private func ends(
    _ limit: Int64, _ sizes: [Int32: Int64], start: Int64 = 0
  ) -> [Int32: Int64] {
    RateLimit.endOffsets(
      limit: limit, start: sizes.mapValues { _ in start },
      target: sizes.mapValues { start + $0 }
    ).mapValues { $0 - start }
  }

  @Test func `partitions share in proportion, as in Spark`() {
    #expect(ends(100, [0: 300, 1: 30, 2: 3]) == [0: 90, 1: 9, 2: 1])
    #expect(ends(100, [0: 300, 1: 30, 2: 3], start: 1 << 40) == [0: 90, 1: 9, 2: 1])
  }

  @Test func `a share below one offset is rounded up, so that nobody starves`() {
    #expect(ends(10, [0: 1_000_000, 1: 1]) == [0: 9, 1: 1])
    #expect(ends(1, [0: 5, 1: 5, 2: 5]) == [0: 1, 1: 1, 2: 1])
  }

  @Test func `what fits is taken whole`() {
    #expect(ends(1000, [0: 300, 1: 30]) == [0: 300, 1: 30])
    #expect(ends(5, [0: 0, 1: 0]) == [0: 0, 1: 0])
  }

  @Test func `a partition with nothing new stays where it is`() {
    let end = RateLimit.endOffsets(limit: 10, start: [0: 5, 1: 7], target: [0: 5, 1: 107])
    #expect(end == [0: 5, 1: 17])
  }

  @Test func `offsets near the end of 64 bits do not overflow`() {
    let end = RateLimit.endOffsets(
      limit: .max, start: [0: Int64.max - 10], target: [0: Int64.max - 1])
    #expect(end == [0: Int64.max - 1])
  }

  @Test func `every plan advances and none passes its target`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      var sizes: [Int32: Int64] = [:]
      for partition in 0..<Int32(5) {
        sizes[partition] = Int64.random(in: 0...1000, using: &random)
      }
      let limit = Int64.random(in: 1...500, using: &random)
      let end = ends(limit, sizes)
      #expect(end.allSatisfy { $0.value >= 0 && $0.value <= sizes[$0.key] ?? 0 })
      #expect(sizes.values.allSatisfy { $0 == 0 } || end.values.contains { $0 > 0 })
    }
  }
}
