internal import Clickstream

/// The events of some visitors as Bronze has them, then without duplicates and in order.
///
/// Deliberately simple, and nothing of the daemon's own sessionizer: every row is here at once, and
/// sorting decides what is a duplicate and where a session begins. An event id is held as a 64-bit
/// hash under a random seed: two ids of one visitor at one microsecond would have to share it to be
/// confused.
///
/// Memory: 53 bytes for each row, and the names of the visitors.
final class UniqueEvents {
  /// One row of Bronze.
  struct Event: BitwiseCopyable {
    var time: Int64
    var idHash: UInt64
    var ingestedAt, offset: Int64
    var visitor, partition: Int32
    var kind: EventKind
    var isIdentified: Bool

    init(_ rows: EventRows, _ row: Int, visitor: Int32) {
      let position = rows.position(row)
      time = rows.time(row)
      idHash = rows.eventIDHash(row)
      (ingestedAt, offset) = (position.ingestedAt, position.offset)
      (self.visitor, partition) = (visitor, position.partition)
      kind = rows.kind(row)
      isIdentified = rows.isIdentified(row)
    }

    /// Among the rows of one visitor: duplicates stand together, the survivor first.
    func precedes(_ other: Event) -> Bool {
      (time, idHash, ingestedAt, partition, offset)
        < (other.time, other.idHash, other.ingestedAt, other.partition, other.offset)
    }

    func isDuplicate(of other: Event) -> Bool { time == other.time && idHash == other.idHash }

    func isSameRow(as other: Event) -> Bool {
      (ingestedAt, partition, offset) == (other.ingestedAt, other.partition, other.offset)
        && (kind, isIdentified) == (other.kind, other.isIdentified)
    }
  }

  /// A session as its events make it.
  struct Visit: Equatable {
    var first, last: Int64
    var events, pageViews, addsToCart, purchases, searches: Int32
    var isIdentified: Bool
  }

  let visitors = VisitorTable()
  private var rows: [Event] = []
  /// The unique events, by visitor and time, as places in `rows`.
  private var order: [Int32] = []
  /// Where each visitor's events begin in `order`, and where the last one's end.
  private var starts: [Int] = []
  private let gap: Int64

  /// - Parameter gap: microseconds; a longer pause begins another session.
  init(gap: Int64, expectedRows: Int) {
    self.gap = gap
    rows.reserveCapacity(expectedRows)
  }

  /// How many unique events there are.
  var count: Int { order.count }

  func append(_ event: Event) { rows.append(event) }

  /// The unique event at a place of the order.
  subscript(place: Int) -> Event { rows[Int(order[place])] }

  /// Sorts and drops duplicates; no row is appended afterwards.
  func seal() {
    var ends = [Int](repeating: 0, count: visitors.count + 1)
    for event in rows { ends[Int(event.visitor) + 1] += 1 }
    for visitor in 0..<visitors.count { ends[visitor + 1] += ends[visitor] }
    let firsts = ends
    order = [Int32](repeating: 0, count: rows.count)
    for (row, event) in rows.enumerated() {
      let visitor = Int(event.visitor)
      order[ends[visitor]] = Int32(row)
      ends[visitor] += 1
    }
    starts = [0]
    starts.reserveCapacity(visitors.count + 1)
    var kept = 0
    let rows = rows
    for visitor in 0..<visitors.count {
      let range = firsts[visitor]..<firsts[visitor + 1]
      order.withUnsafeMutableBufferPointer { all in
        var own = UnsafeMutableBufferPointer(rebasing: all[range])
        own.sort { rows[Int($0)].precedes(rows[Int($1)]) }
      }
      kept = dropDuplicates(in: range, to: kept)
      starts.append(kept)
    }
    order.removeLast(order.count - kept)
  }

  /// Moves a visitor's unique events to `place`; returns the place behind them.
  private func dropDuplicates(in range: Range<Int>, to place: Int) -> Int {
    var place = place
    let start = place
    for index in range {
      let event = rows[Int(order[index])]
      if place > start, event.isDuplicate(of: rows[Int(order[place - 1])]) { continue }
      order[place] = order[index]
      place += 1
    }
    return place
  }

  // MARK: Events

  /// The place of the event with this visitor, time and id.
  func place(of event: Event) -> Int? {
    var place = firstPlace(of: event.visitor, at: event.time)
    let end = starts[Int(event.visitor) + 1]
    while place < end, self[place].time == event.time {
      if self[place].idHash == event.idHash { return place }
      place += 1
    }
    return nil
  }

  /// The first event of a visitor at `time` or later.
  private func firstPlace(of visitor: Int32, at time: Int64) -> Int {
    var (low, high) = (starts[Int(visitor)], starts[Int(visitor) + 1])
    while low < high {
      let middle = (low + high) / 2
      if self[middle].time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Sessions

  /// Where a visitor's session that begins at `first` begins in the order.
  func sessionStart(of visitor: Int32, at first: Int64) -> Int? {
    let place = firstPlace(of: visitor, at: first)
    guard place < starts[Int(visitor) + 1], self[place].time == first, beginsSession(place) else {
      return nil
    }
    return place
  }

  /// Whether the pause before an event is longer than the gap.
  func beginsSession(_ place: Int) -> Bool {
    let event = self[place]
    guard place > starts[Int(event.visitor)] else { return true }
    return event.time - self[place - 1].time > gap
  }

  /// The session that begins at a place.
  func session(from start: Int) -> Visit {
    let time = self[start].time
    var visit = Visit(
      first: time, last: time, events: 0, pageViews: 0, addsToCart: 0, purchases: 0, searches: 0,
      isIdentified: false)
    let end = starts[Int(self[start].visitor) + 1]
    var place = start
    repeat {
      let event = self[place]
      visit.last = event.time
      visit.events += 1
      visit.isIdentified = visit.isIdentified || event.isIdentified
      switch event.kind {
      case .pageView: visit.pageViews += 1
      case .addToCart: visit.addsToCart += 1
      case .purchase: visit.purchases += 1
      case .search: visit.searches += 1
      case .other: break
      }
      place += 1
    } while place < end && !beginsSession(place)
    return visit
  }
}
