import Clickstream
import Testing

struct GeneratorTests {
  private static let start: Int64 = 1_769_904_000_000_000

  private func events(
    _ count: Int, seed: UInt64 = 1, options: GeneratorOptions = GeneratorOptions()
  ) -> [GeneratedEvent] {
    var generator = ClickEventGenerator(seed: seed, options: options, startTime: Self.start)
    return (0..<count).map { generator.next(now: Self.start + Int64($0) * 1000) }
  }

  @Test func `the same seed gives the same stream and another seed another`() {
    #expect(events(2000) == events(2000))
    #expect(events(2000) != events(2000, seed: 2))
  }

  @Test func `every record is decoded to what the generator says of it`() {
    var options = GeneratorOptions()
    options.malformedRatio = 0.2
    let decoder = ClickEventDecoder(declaredColumns: [])
    var reasons: [DeadLetterReason: Int] = [:]
    for event in events(20_000, options: options) {
      let outcome = decoder.outcome(event.value)
      #expect(outcome.reason == event.expectedReason, "\(outcome)")
      if let reason = outcome.reason { reasons[reason, default: 0] += 1 }
    }
    #expect(reasons.count == 7)
    #expect(reasons.values.allSatisfy { $0 > 100 })
  }

  @Test func `the ratios of the options are kept`() {
    let all = events(50_000)
    func share(_ isMeant: (GeneratedEvent) -> Bool) -> Double {
      Double(all.count(where: isMeant)) / Double(all.count)
    }
    #expect((0.003...0.008).contains(share { $0.expectedReason != nil }))
    #expect((0.003...0.008).contains(share { $0.isDuplicate }))
    #expect((0.007...0.013).contains(share { $0.isLate }))
    #expect((0.05...0.15).contains(share { $0.key == nil }))
  }

  @Test func `keys are the customer and anonymous visitors have none`() throws {
    let decoder = ClickEventDecoder(declaredColumns: [])
    var rescued = 0
    var types: [String: Int] = [:]
    for event in events(5000) where event.expectedReason == nil {
      let row = try #require(decoder.outcome(event.value).row)
      #expect(row.customerID == event.key.map { String(decoding: $0, as: UTF8.self) })
      rescued += row.rescuedData == nil ? 0 : 1
      types[row.eventType ?? "", default: 0] += 1
    }
    #expect(rescued > 50)
    #expect(Set(types.keys) == ["page_view", "search", "add_to_cart", "purchase"])
  }

  @Test func `events that are not late are out of order by less than seconds`() {
    var options = GeneratorOptions()
    (options.lateRatio, options.duplicateRatio, options.malformedRatio) = (0, 0, 0)
    let decoder = ClickEventDecoder(declaredColumns: [])
    var times: [Int64] = []
    for event in events(5000, options: options) {
      if let row = decoder.outcome(event.value).row { times.append(row.eventTime) }
    }
    let back = zip(times, times.dropFirst()).map { $0 - $1 }.max() ?? 0
    #expect(back > 0 && back < 2_000_000)
  }
}
