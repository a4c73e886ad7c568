import Clickstream
import Testing

/// The decoder against an independent implementation of the same rules in Python.
struct OracleTests {
  @Test(.enabled(if: Oracle.python != nil))
  func `mutated events become what the Python oracle makes of them`() throws {
    var random = TestRandom(seed: 20_260_201)
    let values: [[UInt8]?] = (0..<30_000).map { _ in random.mutatedEvent() }
    try expectAgreement(values, verdicts: 7)
  }

  @Test(.enabled(if: Oracle.python != nil))
  func `every syntax case in a used, an unused and no field is judged alike`() throws {
    let sample = SampleEvent()
    var values: [[UInt8]?] = [nil, []]
    for text in SyntaxCase.all.map(\.text) {
      values.append(text)
      for field in ["page", "customer_id", "event_ts", "unused"] {
        values.append(sample.bytes(field, text))
      }
      values.append(sample.bytes + text)
    }
    try expectAgreement(values, verdicts: 7)
  }

  @Test(.enabled(if: Oracle.python != nil))
  func `timestamps and their neighbours are judged alike`() throws {
    var random = TestRandom(seed: 7)
    let values: [[UInt8]?] = (0..<20_000).map { _ in
      SampleEvent().bytes("event_ts", Array("\"\(random.timestamp())\"".utf8))
    }
    try expectAgreement(values, verdicts: 2)
  }

  private func expectAgreement(_ values: [[UInt8]?], verdicts: Int) throws {
    let decoder = ClickEventDecoder(declaredColumns: [])
    let expected = try Oracle.outcomes(of: values)
    #expect(expected.count == values.count)
    var seen: Set<String> = []
    for (value, expected) in zip(values, expected) {
      let verdict = Oracle.Verdict(decoder.outcome(value))
      #expect(verdict == expected, "\(String(decoding: value ?? [], as: UTF8.self))")
      if case .dead(let reason) = verdict { seen.insert(reason) } else { seen.insert("row") }
    }
    #expect(seen.count >= verdicts, "\(seen)")
  }
}
