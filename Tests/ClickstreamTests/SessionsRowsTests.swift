import Clickstream
import Testing

struct SessionsRowsTests {
  private func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { EventHash.of($0) } }

  // MARK: Kinds and positions

  @Test func `the four declared kinds are told apart byte for byte`() {
    let kinds: [String: EventKind] = [
      "page_view": .pageView, "add_to_cart": .addToCart, "purchase": .purchase,
      "search": .search, "": .other, "Purchase": .other, "page-view": .other, "search ": .other,
      "add_to_carts": .other,
    ]
    for (text, kind) in kinds {
      #expect(Array(text.utf8).withUnsafeBytes { EventKind($0) } == kind, "\(text)")
    }
    #expect(EventKind(UnsafeRawBufferPointer(start: nil, count: 0)) == .other)
  }

  @Test func `positions are ordered by arrival, partition and offset`() {
    let ordered = [(1, 9, 9), (2, 0, 9), (2, 1, 0), (2, 1, 1)].map {
      SourcePosition(ingestedAt: Int64($0.0), partition: Int32($0.1), offset: Int64($0.2))
    }
    #expect(ordered.reversed().sorted() == ordered)
  }

  // MARK: Rows

  @Test func `rows give back what was appended and the newest time within arrival`() {
    let rows = EventRows(visitors: VisitorTable())
    #expect(rows.newestTime == .min)
    let event = ModelEvent(visitor: "é", time: -7, kind: .purchase, isIdentified: true)
    rows.append(event, hash: 42, offset: 3, ingestedAt: 100)
    #expect(rows.newestTime == -7)
    let future = ModelEvent(visitor: "b", time: 5000, kind: .other, isIdentified: false)
    rows.append(future, ingestedAt: 100)
    #expect(rows.newestTime == 100)
    #expect(rows.visitors.name(rows.visitor(0)) == "é")
    #expect(rows.time(0) == -7 && rows.kind(0) == .purchase && rows.isIdentified(0))
    #expect(rows.eventIDHash(0) == 42)
    #expect(rows.position(0) == SourcePosition(ingestedAt: 100, partition: 0, offset: 3))
    #expect(rows.kind(1) == .other && !rows.isIdentified(1))
    let visitorHash = rows.visitors.hash(of: rows.visitor(0))
    #expect(
      rows.fingerprint(0)
        == EventHash.fingerprint(visitorHash: visitorHash, time: -7, eventIDHash: 42))
    rows.removeAll()
    #expect(rows.count == 0 && rows.newestTime == .min)
  }

  // MARK: Visitors

  @Test func `visitors keep their numbers, bytes and hashes`() {
    let table = VisitorTable()
    var random = TestRandom(seed: 1)
    let names = (0..<20_000).map { _ in
      (0..<random.below(40)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
    var numbers: [[UInt8]: Int32] = [:]
    for name in names {
      let number = name.withUnsafeBytes { table.id(of: $0) }
      #expect(numbers[name, default: Int32(numbers.count)] == number)
      numbers[name] = number
    }
    #expect(table.count == numbers.count)
    for (name, number) in numbers {
      #expect(table.withBytes(of: number) { Array($0) } == name)
      #expect(name.withUnsafeBytes { table.find($0) } == number)
      #expect(table.hash(of: number) == hash(name))
    }
    #expect(Array("not there".utf8).withUnsafeBytes { table.find($0) } == nil)
    #expect(table.find(UnsafeRawBufferPointer(start: nil, count: 0)) == numbers[[]])
  }

  // MARK: Hashes

  @Test func `similar bytes of any length have unrelated hashes`() {
    var seen: Set<UInt64> = []
    var count = 0
    for length in 0..<200 {
      var bytes = [UInt8](repeating: 0, count: length)
      seen.insert(hash(bytes))
      count += 1
      for index in 0..<length {
        for bit in 0..<8 {
          bytes[index] ^= 1 << UInt8(bit)
          seen.insert(hash(bytes))
          bytes[index] = 0
          count += 1
        }
      }
    }
    #expect(seen.count == count)
  }

  /// Each output bit changes in half of the cases: 4,096 trials stay within 8 standard deviations.
  @Test func `one bit of the input changes half of the bits`() {
    var random = TestRandom(seed: 2)
    for length in [1, 3, 4, 8, 9, 16, 17, 36, 100] {
      var changes = [Int](repeating: 0, count: 64)
      for _ in 0..<4096 {
        var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        let before = hash(bytes)
        bytes[random.below(length)] ^= 1 << UInt8(random.below(8))
        let difference = before ^ hash(bytes)
        for bit in 0..<64 where difference >> UInt64(bit) & 1 == 1 { changes[bit] += 1 }
      }
      #expect(changes.allSatisfy { abs($0 - 2048) < 256 }, "\(length) bytes: \(changes)")
    }
  }

  @Test func `fingerprints differ in each of their parts and spread over both halves`() {
    var (all, high, low): (Set<UInt64>, Set<UInt32>, Set<UInt32>) = ([], [], [])
    let visitorHash = hash([1])
    for step in 0..<30_000 as Range<Int64> {
      let prints = [
        EventHash.fingerprint(visitorHash: visitorHash, time: step, eventIDHash: 7),
        EventHash.fingerprint(visitorHash: visitorHash, time: -9, eventIDHash: UInt64(step) + 8),
        EventHash.fingerprint(
          visitorHash: visitorHash ^ UInt64(step + 1), time: -9, eventIDHash: 7),
      ]
      all.formUnion(prints)
      high.formUnion(prints.map { UInt32($0 >> 32) })
      low.formUnion(prints.map { UInt32(truncatingIfNeeded: $0) })
    }
    #expect(all.count == 90_000)
    // Of 90,000 random numbers of 32 bits about one meets another.
    #expect(high.count > 89_980 && low.count > 89_980)
  }
}
