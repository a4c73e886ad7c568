import AllocationCounter
import Clickstream
import Testing

struct AllocationTests {
  private static let time: Int64 = 1_769_904_000_000_000

  /// Allocations of this thread while `decoder` reads each value ten times.
  private func allocations(
    of decoder: ClickEventDecoder, over values: [[UInt8]]
  ) -> (count: Int, rows: Int) {
    var rows = 0
    var before = 0
    for round in 0...10 {
      if round == 1 { before = allocation_count() }
      // By index: without optimisation an array's iterator allocates for each element.
      for index in 0..<values.count {
        values[index].withUnsafeBytes { rows += decoder.decode($0) == nil ? 1 : 0 }
      }
    }
    return (allocation_count() - before, rows)
  }

  @Test func `the counter counts`() {
    let before = allocation_count()
    let array = Array(repeating: 0, count: Int(before % 7) + 1000)
    #expect(allocation_count() > before, "\(array.count)")
  }

  @Test func `good records cost no allocation in the steady state`() {
    var options = GeneratorOptions()
    (options.malformedRatio, options.extraFieldsRatio) = (0, 0.3)
    var generator = ClickEventGenerator(seed: 5, options: options, startTime: Self.time)
    let values = (0..<2000).compactMap { _ in generator.next(now: Self.time).value }
    let result = allocations(of: ClickEventDecoder(declaredColumns: []), over: values)
    #expect(result.rows == 22_000)
    #expect(result.count == 0)
  }

  @Test func `escapes, declared columns and rescued fields cost no allocation either`() {
    let decoder = ClickEventDecoder(declaredColumns: [
      DeclaredColumn(name: "referrer", field: "ref", type: .string),
      DeclaredColumn(name: "quantity", field: "qty", type: .long),
      DeclaredColumn(name: "price", field: "price", type: .double),
    ])
    var event = SampleEvent().with("page", "\"/caf\\u00e9/日本\\n\"").adding("\"qty\"", "12")
      .adding("\"ref\"", "\"a\\tb\"").adding("\"pr\\u0069ce\"", "9.95")
      .adding("\"deep\"", "[[{\"a\": [1, 2, {}]}]]")
    for number in 0..<25 { event = event.adding("\"u\\u006e\(number)\"", "\"\(number)\"") }
    let result = allocations(of: decoder, over: [event.bytes, SampleEvent().bytes])
    #expect(result.rows == 22)
    #expect(result.count == 0)
  }
}
