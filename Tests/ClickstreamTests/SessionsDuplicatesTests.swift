import Clickstream
import Testing

struct SessionsDuplicatesTests {
  private struct Row {
    var visitor: String
    var time: Int64
    var id: String
    var position: SourcePosition
  }

  private struct Key: Hashable {
    var visitor: String
    var time: Int64
    var id: String
  }

  /// The rows' keys, with hashes of few bits if `mask` says so, so that they collide.
  private func columns(_ rows: [Row], mask: UInt64 = .max) -> EventRows {
    let result = EventRows(visitors: VisitorTable())
    for row in rows {
      let hash = Array(row.id.utf8).withUnsafeBytes { EventHash.of($0) }
      result.append(
        visitor: result.visitors.id(row.visitor), isIdentified: false, kind: .search,
        time: row.time, eventIDHash: hash & mask, position: row.position)
    }
    return result
  }

  private func losers(_ rows: [Row], mask: UInt64 = .max) -> [Int32] {
    let columns = columns(rows, mask: mask)
    let suspects = SliceDuplicates.suspects(in: columns)
    #expect(suspects == suspects.sorted())
    #expect(Set(suspects).count == suspects.count)
    let ids = suspects.map { Array(rows[Int($0)].id.utf8) }
    let arena = UnsafeMutableRawBufferPointer.allocate(
      byteCount: ids.reduce(1) { $0 + $1.count }, alignment: 1)
    defer { arena.deallocate() }
    var (places, next): ([UnsafeRawBufferPointer], Int) = ([], 0)
    for id in ids {
      let place = UnsafeMutableRawBufferPointer(rebasing: arena[next..<next + id.count])
      place.copyBytes(from: id)
      places.append(UnsafeRawBufferPointer(place))
      next += id.count
    }
    return SliceDuplicates.losers(in: columns, suspects: suspects) { places[$0] }
  }

  private func naiveLosers(_ rows: [Row]) -> [Int32] {
    let groups = Dictionary(grouping: rows.indices) {
      Key(visitor: rows[$0].visitor, time: rows[$0].time, id: rows[$0].id)
    }
    return groups.values.flatMap { group in
      group.sorted { rows[$0].position < rows[$1].position }.dropFirst().map { Int32($0) }
    }.sorted()
  }

  private func randomRows(_ count: Int, keys: Int, _ random: inout TestRandom) -> [Row] {
    let positions = (0..<count).map {
      SourcePosition(
        ingestedAt: Int64($0 % 3), partition: Int32($0 % 5), offset: Int64($0))
    }.shuffled(using: &random)
    return positions.map { position in
      Row(
        visitor: "v\(random.below(keys))", time: Int64(random.below(keys)),
        id: random.below(9) == 0 ? "" : "e\(random.below(keys))", position: position)
    }
  }

  @Test(arguments: [UInt64.max, 7, 0])
  func `all but the smallest position of the same event lose, even if hashes collide`(
    mask: UInt64
  ) {
    for seed in 0..<60 as Range<UInt64> {
      var random = TestRandom(seed: seed)
      let rows = randomRows(random.below(400), keys: 1 + random.below(30), &random)
      #expect(losers(rows, mask: mask) == naiveLosers(rows))
    }
  }

  @Test func `rows that share no key are no suspects`() {
    let rows = (0..<5000).map { number in
      Row(
        visitor: "v\(number % 7)", time: Int64(number / 7), id: "same",
        position: SourcePosition(ingestedAt: 0, partition: 0, offset: Int64(number)))
    }
    #expect(SliceDuplicates.suspects(in: columns(rows)).isEmpty)
    #expect(SliceDuplicates.suspects(in: columns(rows, mask: 0)).isEmpty)
    #expect(SliceDuplicates.suspects(in: columns([])).isEmpty)
  }

  @Test func `one event sent a hundred thousand times survives once`() {
    let rows = (0..<100_000).map { number in
      Row(
        visitor: "v", time: 0, id: "e",
        position: SourcePosition(
          ingestedAt: 0, partition: 0, offset: Int64((number + 500) % 100_000)))
    }
    let losers = losers(rows)
    #expect(losers.count == 99_999)
    #expect(!losers.contains(99_500))
  }
}
