import Clickstream
import Testing

struct SessionsMergeTests {
  private static let gap: Int64 = 1_800_000_000

  private func event(_ time: Int64, _ visitor: String = "a") -> ModelEvent {
    ModelEvent(visitor: visitor, time: time, kind: .pageView, isIdentified: false)
  }

  private func ranges(_ set: SessionSet) -> [ClosedRange<Int64>] {
    set.all.map { $0.first...$0.last }.sorted { $0.lowerBound < $1.lowerBound }
  }

  private func emptySet() -> SessionSet { SessionSet(visitors: VisitorTable(), gap: Self.gap) }

  // MARK: Any order, any batches

  @Test(arguments: 0..<200)
  func `any order and any split into batches gives the sessions of one pass`(seed: UInt64) {
    var random = TestRandom(seed: seed)
    let gap = [0, 1, 1_000_000, Self.gap, 86_400_000_000][random.below(5)]
    var events = random.history(
      count: 1 + random.below(300), visitors: 1 + random.below(6), gap: gap)
    if random.below(4) > 0 { events.shuffle(using: &random) }
    var set = SessionSet(visitors: VisitorTable(), gap: gap)
    var done = 0
    while done < events.count {
      let end = min(events.count, done + 1 + random.below(random.below(2) == 0 ? 3 : 200))
      let before = set.count
      let change = set.add(Array(events[done..<end]))
      #expect(set.count == before + change.created - change.merged)
      done = end
      if random.below(5) == 0 { set = set.rebuilt() }
      #expect(set.asModel == naiveSessions(Array(events[..<done]), gap: gap))
      #expect(set.count == set.all.count)
    }
  }

  /// Most sessions lie in files; a batch loads only those in reach of its clusters.
  @Test(arguments: 0..<100)
  func `sessions in reach of the clusters are all that a batch needs`(seed: UInt64) {
    var random = TestRandom(seed: seed &+ 1000)
    let visitors = VisitorTable()
    let events = random.history(count: 200, visitors: 3, gap: Self.gap).shuffled(using: &random)
    let set = SessionSet(visitors: visitors, gap: Self.gap)
    var cold: [Session] = []
    for start in stride(from: 0, to: events.count, by: 10) {
      let rows = EventRows(Array(events[start..<start + 10]), visitors: visitors)
      let grouped = rows.grouped(gap: Self.gap)
      cold.shuffle(using: &random)
      cold.removeAll { session in
        let isNear = grouped.clusters.contains {
          $0.visitor == session.visitor && session.last >= $0.first - Self.gap
            && session.first <= $0.last + Self.gap
        }
        if isNear { set.insert(session, .stored) }
        return isNear
      }
      _ = set.add(grouped, updatedAt: 0)
      set.removeAll { session in
        let goes = random.below(2) == 0
        if goes { cold.append(session) }
        return goes
      }
    }
    let warm = set.asModel
    let all = warm.union(cold.map(set.model(of:)))
    #expect(all.count == warm.count + cold.count)
    #expect(all == naiveSessions(events, gap: Self.gap))
  }

  // MARK: The gap

  @Test(arguments: [-62_135_596_800_000_000, -1, 1_769_904_000_000_000, 253_402_300_799_999_999])
  func `a pause of exactly the gap joins and a microsecond more separates`(end: Int64) {
    let start = end == 253_402_300_799_999_999 ? end - Self.gap - 1 : end
    for (pause, count) in [(Self.gap - 1, 1), (Self.gap, 1), (Self.gap + 1, 2)] {
      for order in [[start, start + pause], [start + pause, start]] {
        let oneBatch = emptySet()
        oneBatch.add(order.map { event($0) })
        let twoBatches = emptySet()
        for time in order { twoBatches.add([event(time)]) }
        #expect(oneBatch.count == count)
        #expect(twoBatches.asModel == oneBatch.asModel)
      }
    }
  }

  @Test func `a gap of nothing joins equal times only`() {
    let set = SessionSet(visitors: VisitorTable(), gap: 0)
    set.add([event(5), event(6), event(5)])
    #expect(ranges(set) == [5...5, 6...6])
    #expect(set.all.map(\.eventCount).sorted() == [1, 2])
  }

  @Test func `visitors do not share sessions and the empty name is a visitor`() {
    let set = emptySet()
    set.add([event(0, ""), event(1, "a"), event(2, "")])
    #expect(set.asModel == naiveSessions([event(0, ""), event(1), event(2, "")], gap: Self.gap))
    #expect(set.count == 2)
  }

  // MARK: Bridges

  @Test func `a session bridges clusters that are out of reach of each other`() {
    let set = emptySet()
    set.add([event(Self.gap), event(Self.gap * 2)])
    let change = set.add([event(0), event(Self.gap * 3)], updatedAt: 9)
    #expect(change == SessionSet.Change(created: 0, extended: 1, merged: 0))
    #expect(ranges(set) == [0...Self.gap * 3])
    #expect(set.all.map(\.updatedAt) == [9])
  }

  @Test func `a cluster bridges sessions and takes them in`() {
    let set = emptySet()
    set.add([event(0), event(Self.gap * 2), event(Self.gap * 10)], updatedAt: 1)
    #expect(set.count == 3)
    let change = set.add([event(Self.gap)], updatedAt: 2)
    #expect(change == SessionSet.Change(created: 0, extended: 1, merged: 1))
    #expect(ranges(set) == [0...Self.gap * 2, Self.gap * 10...Self.gap * 10])
    #expect(set.all.sorted { $0.first < $1.first }.map(\.updatedAt) == [2, 1])
  }

  @Test func `a chain of clusters and sessions becomes one session`() {
    let set = emptySet()
    let times = (0..<1000).map { Int64($0) * Self.gap }
    set.add(times.filter { $0 / Self.gap % 2 == 0 }.map { event($0) })
    #expect(set.count == 500)
    let change = set.add(times.filter { $0 / Self.gap % 2 == 1 }.map { event($0) })
    #expect(change == SessionSet.Change(created: 0, extended: 1, merged: 499))
    #expect(set.all.map(\.eventCount) == [1000])
  }

  // MARK: The set

  @Test func `only touched sessions are changed`() {
    let set = emptySet()
    set.add([event(0), event(0, "b")], updatedAt: 1)
    set.markStored()
    set.add([event(1, "b")], updatedAt: 2)
    set.forEach { session, standing in
      let isTouched = set.visitors.name(session.visitor) == "b"
      #expect(standing == (isTouched ? .changed : .stored))
      #expect(session.updatedAt == (isTouched ? 2 : 1))
    }
  }

  @Test func `a session is found by any time within it and by no other`() {
    let set = emptySet()
    set.add([event(10), event(20), event(Self.gap * 3)])
    let visitor = set.visitors.id("a")
    for time in [10, 15, 20] as [Int64] { #expect(set.session(of: visitor, at: time)?.first == 10) }
    for time in [9, 21, Self.gap] { #expect(set.session(of: visitor, at: time) == nil) }
    #expect(set.session(of: visitor, at: Self.gap * 3)?.eventCount == 1)
    #expect(set.session(of: set.visitors.id("stranger"), at: 10) == nil)
  }

  @Test func `an update replaces a session and marks it`() throws {
    let set = emptySet()
    set.add([event(10), event(Self.gap * 3)])
    set.markStored()
    var session = try #require(set.session(of: set.visitors.id("a"), at: 10))
    session.count(.pageView, by: -1)
    session.count(.purchase, by: 1)
    session.isIdentified = true
    set.update(session)
    let stored = try #require(set.session(of: session.visitor, at: 10))
    #expect(stored.converted && stored.isIdentified && stored.pageViewCount == 0)
    var changed: [Int64] = []
    set.forEach { session, standing in if standing == .changed { changed.append(session.first) } }
    #expect(changed == [10])
  }

  @Test func `sessions may come from files in any order`() {
    var random = TestRandom(seed: 3)
    let set = emptySet()
    let visitor = set.visitors.id("a")
    for number in (0..<2000).shuffled(using: &random) {
      let time = Int64(number) * Self.gap * 3
      set.insert(
        Session(visitor: visitor, first: time, last: time, updatedAt: 0, eventCount: 1), .stored)
    }
    #expect(set.session(of: visitor, at: Self.gap * 3 * 777)?.first == Self.gap * 3 * 777)
    let change = set.add([event(Self.gap * 3 * 1500 + 5)])
    #expect(change == SessionSet.Change(created: 0, extended: 1, merged: 0))
    #expect(set.count == 2000)
  }

  @Test func `removed sessions leave their memory to new ones`() {
    let set = emptySet()
    let events = (0..<100).map { event(Int64($0) * Self.gap * 2) }
    set.add(events)
    let memory = set.byteCount
    for _ in 0..<50 {
      set.removeAll { $0.first >= 0 }
      #expect(set.count == 0)
      set.add(events)
    }
    #expect(set.byteCount == memory)
    #expect(set.asModel == naiveSessions(events, gap: Self.gap))
  }

  @Test func `a rebuilt set forgets visitors without sessions`() {
    let set = emptySet()
    set.add((0..<1000).map { event(Int64($0), "visitor \($0)") })
    set.removeAll { $0.first % 100 != 0 }
    let rebuilt = set.rebuilt()
    #expect(rebuilt.visitors.count == 10)
    #expect(rebuilt.asModel == set.asModel)
    #expect(rebuilt.byteCount + rebuilt.visitors.byteCount < set.byteCount)
  }

  @Test func `counts end at the largest int`() {
    let set = emptySet()
    let visitor = set.visitors.id("a")
    set.insert(
      Session(visitor: visitor, first: 0, last: 0, updatedAt: 0, eventCount: .max), .stored)
    set.add([event(1)])
    #expect(set.all.map(\.eventCount) == [.max])
  }
}
