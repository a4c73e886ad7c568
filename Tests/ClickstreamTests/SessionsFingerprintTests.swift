import Clickstream
import Testing

struct SessionsFingerprintTests {
  private static let day: Int64 = 86_400_000_000
  private static let now: Int64 = 1_769_904_000_000_000
  private static let yearOne: Int64 = -62_135_596_800_000_000
  private static let yearEnd: Int64 = 253_402_300_799_999_999

  private struct Stored: Hashable {
    var time: Int64
    var fingerprint: UInt64
  }

  /// What was inserted within the bounds is contained.
  private func expectNoMiss(_ cache: FingerprintCache, _ stored: some Sequence<Stored>) {
    let missed = stored.first {
      $0.time >= cache.lowerBound && !cache.contains(time: $0.time, fingerprint: $0.fingerprint)
    }
    #expect(missed == nil)
  }

  private func fill(
    _ cache: FingerprintCache, _ count: Int, _ random: inout TestRandom,
    time: (Int) -> Int64
  ) -> [Stored] {
    (0..<count).map { number in
      let event = Stored(time: time(number), fingerprint: random.next())
      cache.insert(time: event.time, fingerprint: event.fingerprint)
      return event
    }
  }

  @Test func `a new cache is certain of nothing`() {
    let cache = FingerprintCache(capacity: 100)
    #expect(cache.lowerBound == .max)
    cache.insert(time: 5, fingerprint: 7)
    #expect(cache.count == 0)
    #expect(cache.contains(time: 5, fingerprint: 7) && cache.contains(time: 5, fingerprint: 8))
  }

  @Test func `within the bounds only what was inserted is contained`() {
    let cache = FingerprintCache(capacity: 50_001)
    cache.reset(coveringFrom: Self.now)
    var random = TestRandom(seed: 1)
    let stored = fill(cache, 50_000, &random) { Self.now + Int64($0) * 1000 }
    #expect(cache.count == 50_000 && cache.lowerBound == Self.now)
    expectNoMiss(cache, stored)
    let strangers = (0..<50_000).count { number in
      cache.contains(time: Self.now + Int64(number), fingerprint: random.next())
    }
    #expect(strangers == 0)
    stored.forEach { cache.insert(time: $0.time, fingerprint: $0.fingerprint) }
    #expect(cache.count == 50_000)
  }

  @Test func `what is forgotten makes room without driving out the rest`() {
    let cache = FingerprintCache(capacity: 10_000)
    cache.reset(coveringFrom: Self.now)
    var random = TestRandom(seed: 2)
    var stored: [Stored] = []
    for round in 0..<300 {
      stored += fill(cache, 1000, &random) { Self.now + Int64(round * 1000 + $0) * 1_000_000 }
      let bound = Self.now + Int64(round * 1000 - 4000) * 1_000_000
      cache.forget(before: bound)
      #expect(cache.lowerBound == max(bound, Self.now))
      #expect(cache.count <= 10_000)
      stored.removeAll { $0.time < cache.lowerBound }
      expectNoMiss(cache, stored)
    }
  }

  @Test func `a full cache gives up the oldest and says so`() {
    let cache = FingerprintCache(capacity: 10_000)
    cache.reset(coveringFrom: .min)
    var random = TestRandom(seed: 3)
    let stored = fill(cache, 100_000, &random) { Self.now + Int64($0) * 2_000_000 }
    #expect(cache.count <= 10_000)
    #expect(cache.lowerBound > Self.now + 80_000 * 2_000_000)
    #expect(cache.lowerBound < Self.now + 97_000 * 2_000_000)
    expectNoMiss(cache, stored)
  }

  @Test func `an instant that does not fit is given up`() {
    let cache = FingerprintCache(capacity: 1000)
    cache.reset(coveringFrom: Self.now - Self.day)
    var random = TestRandom(seed: 4)
    let stored = fill(cache, 1000, &random) { _ in Self.now }
    expectNoMiss(cache, stored)
    #expect(cache.lowerBound < Self.now)
    _ = fill(cache, 5000, &random) { _ in Self.now }
    #expect(cache.count <= 1000)
    #expect(cache.lowerBound > Self.now && cache.lowerBound < Self.now + 60_000_000)
    let later = fill(cache, 500, &random) { _ in Self.now + 60_000_000 }
    expectNoMiss(cache, later)
    #expect(!cache.contains(time: Self.now + 60_000_000, fingerprint: random.next()))
  }

  @Test func `a flood of future dates does not drive out the present`() {
    let cache = FingerprintCache(capacity: 10_000)
    cache.reset(coveringFrom: Self.now - Self.day, newest: Self.now)
    var random = TestRandom(seed: 5)
    let present = fill(cache, 3000, &random) { Self.now + Int64($0) }
    let flood = fill(cache, 100_000, &random) { Self.yearEnd - Int64($0) }
    #expect(cache.count <= 10_000)
    #expect(cache.lowerBound == Self.now - Self.day)
    #expect(cache.upperBound > Self.now + Self.day && cache.upperBound <= Self.yearEnd)
    expectNoMiss(cache, present + flood)
    #expect(!cache.contains(time: Self.now, fingerprint: random.next()))
  }

  /// Random walks of everything the cache can be asked, with few bits so that words collide.
  @Test(arguments: 0..<40)
  func `no event within the bounds is missed, whatever comes`(seed: UInt64) {
    var random = TestRandom(seed: seed)
    let capacity = [16, 100, 1000, 3000][random.below(4)]
    let cache = FingerprintCache(capacity: capacity)
    let start = [Int64.min, Self.yearOne, Self.now][random.below(3)]
    cache.reset(coveringFrom: start, newest: random.below(2) == 0 ? nil : Self.now)
    let spread = [1, 1_000_000, Self.day, 400 * Self.day, 3000 * 365 * Self.day][random.below(5)]
    let bits: UInt64 = random.below(2) == 0 ? .max : 0x3FF << 54
    var stored: Set<Stored> = []
    var time = Self.now
    for round in 1...200 {
      for _ in 0..<random.below(40) {
        let jitter = Int64.random(in: 0...spread, using: &random)
        let event = Stored(
          time: min(Self.yearEnd, time + (random.below(9) == 0 ? jitter * 7 : jitter)),
          fingerprint: random.next() & bits)
        cache.insert(time: event.time, fingerprint: event.fingerprint)
        stored.insert(event)
      }
      time = min(Self.yearEnd, time + Int64(random.below(3)) * spread / 4)
      if random.below(20) == 0 { cache.forget(before: time - spread / 2) }
      #expect(cache.count <= capacity)
      #expect(cache.byteCount <= max(1024, capacity * 2) * 8)
      guard round % 20 == 0 else { continue }
      stored = stored.filter { $0.time >= cache.lowerBound }
      expectNoMiss(cache, stored)
    }
  }

  @Test func `the earliest and the latest representable times are kept`() {
    let range = EventRows.representableTimes
    for bound in [Int64.min, range.lowerBound, 0] {
      let cache = FingerprintCache(capacity: 5000)
      cache.reset(coveringFrom: bound)
      var random = TestRandom(seed: 6)
      let times = [range.upperBound, max(bound, range.lowerBound), range.upperBound - 1, 1]
      let stored = fill(cache, 20_000, &random) { times[$0 % 4] }
      #expect(cache.count <= 5000)
      expectNoMiss(cache, stored)
    }
  }

  // MARK: Rows

  @Test func `rows go in by survivors and come back as suspects`() {
    let rows = EventRows(visitors: VisitorTable())
    for number in 0..<3000 {
      let event = ModelEvent(
        visitor: "v\(number % 50)", time: Self.now + Int64(number), kind: .search,
        isIdentified: false)
      rows.append(event, hash: UInt64(number) &* 0x9E37_79B9_7F4A_7C15, ingestedAt: Self.now)
    }
    let cache = FingerprintCache(capacity: 10_000)
    #expect(cache.suspects(in: rows).count == 3000)
    cache.reset(coveringFrom: Self.now + 10)
    cache.insert(rows, where: (0..<3000).map { $0 % 3 == 0 })
    #expect(cache.suspects(in: rows) == (0..<3000).filter { $0 < 10 || $0 % 3 == 0 })
    #expect(cache.contains(time: rows.time(30), fingerprint: rows.fingerprint(30)))
    #expect(!cache.contains(time: rows.time(31), fingerprint: rows.fingerprint(31)))
  }
}
