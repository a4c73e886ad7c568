import AllocationCounter
import Clickstream
import Testing

struct SessionsAllocationTests {
  private static let start: Int64 = 1_769_904_000_000_000
  private static let gap: Int64 = 1_800_000_000

  private func fill(_ rows: EventRows, round: Int, visitors: [Int32]) {
    rows.removeAll()
    for number in 0..<50_000 {
      rows.append(
        visitor: visitors[number % visitors.count], isIdentified: true, kind: .search,
        time: Self.start + Int64(round * 50_000 + number) * 1000,
        eventIDHash: UInt64(round * 50_000 + number) &* 0x9E37_79B9_7F4A_7C15,
        position: SourcePosition(ingestedAt: Self.start * 2, partition: 0, offset: 0))
    }
  }

  @Test func `a slice costs a few allocations and its events none`() {
    let set = SessionSet(visitors: VisitorTable(), gap: Self.gap)
    let visitors = (0..<500).map { set.visitors.id("visitor \($0)") }
    let rows = EventRows(visitors: set.visitors)
    let cache = FingerprintCache(capacity: 130_000)
    cache.reset(coveringFrom: Self.start)
    let survivors = [Bool](repeating: true, count: 50_000)
    var (before, suspects) = (0, 0)
    for round in 0..<8 {
      if round == 4 { before = allocation_count() }
      fill(rows, round: round, visitors: visitors)
      suspects += SliceDuplicates.suspects(in: rows).count
      suspects += cache.suspects(in: rows).count
      _ = set.add(GroupedEvents(rows, survivors: survivors, gap: Self.gap), updatedAt: 0)
      cache.insert(rows, where: survivors)
      cache.forget(before: rows.time(0))
    }
    let count = allocation_count() - before
    #expect(count < 4 * 40, "\(count) allocations for four slices")
    #expect(suspects == 0)
    #expect(set.all.reduce(0) { $0 + Int($1.eventCount) } == 400_000)
  }

  @Test func `known visitors cost no allocation`() {
    let table = VisitorTable()
    let names = (0..<1000).map { Array("visitor \($0)".utf8) }
    var (before, sum) = (0, 0)
    for round in 0..<3 {
      if round == 1 { before = allocation_count() }
      for index in 0..<names.count {
        names[index].withUnsafeBytes { sum += Int(table.id(of: $0)) }
      }
    }
    let count = allocation_count() - before
    #expect(count == 0)
    #expect(sum == 3 * 999 * 500)
  }
}
