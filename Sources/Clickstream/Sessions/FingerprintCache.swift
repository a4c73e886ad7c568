/// Fingerprints of stored events of the recent past, in bounded memory, to say of nearly every new
/// event that it is no duplicate without reading a file.
///
/// For a time within the bounds, a fingerprint that is not contained is certainly not stored. One
/// that is contained may be stored: 46 bits are compared, and it may belong to an event that was
/// never committed. Outside the bounds everything may be stored.
///
/// One word an event, 46 bits of fingerprint above a coarse time, in open addressing at most 5/8
/// full: 13 bytes an event once the table is as large as it gets, up to 26 before. Forgetting only
/// raises the lower bound; what is before it goes when room is needed.
package final class FingerprintCache {
  /// Later than this after the newest event is far in the future: microseconds.
  private static let farAway: Int64 = 86_400_000_000
  private static let smallest = 1024
  /// Rows that are put in order at once.
  private static let chunk = 1 << 18
  /// Rows that are looked up at once.
  private static let block = 64

  private let capacity: Int
  @exclusivity(unchecked) var table: FingerprintTable
  private var clock: CoarseTime?
  /// Events later than this are far.
  private var horizon = Int64.max
  private var earliestFar = Int64.max
  /// What is before this has been removed.
  private var sweptBound = Int64.max

  /// Every stored event of this time or later, and before `upperBound`, is in here.
  ///
  /// `Int64.max`: the cache covers nothing.
  @exclusivity(unchecked) package private(set) var lowerBound = Int64.max
  /// From here on `contains` says true of everything; `Int64.max` as long as far events fit.
  @exclusivity(unchecked) package private(set) var upperBound = Int64.max

  /// A cache of at most `capacity` events that covers nothing yet.
  package init(capacity: Int) {
    self.capacity = max(capacity, 16)
    table = FingerprintTable(slotCount: min(Self.smallest, Self.slots(for: self.capacity)))
  }

  private static func slots(for entries: Int) -> Int { entries / 5 * 8 + 16 }
  private static func entries(in slots: Int) -> Int { slots / 8 * 5 }

  /// How many fingerprints are held, forgotten ones included that wait for their removal.
  package var count: Int { table.count }

  /// Bytes of memory held.
  package var byteCount: Int { table.byteCount }

  // MARK: Bounds

  /// Forgets everything; the caller then inserts every stored event from this time on.
  ///
  /// `newest` is the newest event time that is not in the future. Events more than a day later are
  /// kept apart: a flood of them does not drive out the others. `expecting` is about how many will
  /// be inserted, so that the table need not grow.
  package func reset(
    coveringFrom lowerBound: Int64, newest: Int64? = nil, expecting count: Int = 0
  ) {
    (self.lowerBound, upperBound) = (lowerBound, .max)
    (clock, horizon, earliestFar, sweptBound) = (nil, .max, .max, lowerBound)
    table = FingerprintTable(slotCount: min(Self.smallest, Self.slots(for: capacity)))
    let slotCount = Self.slots(for: min(count, capacity))
    if slotCount > table.slotCount { table.resize(to: slotCount) }
    if let newest { advance(to: newest) }
  }

  /// Gives up covering what is before `time`, which costs nothing now.
  package func forget(before time: Int64) { lowerBound = max(lowerBound, time) }

  /// Whether `contains` can be certain at this time.
  package func covers(_ time: Int64) -> Bool { time >= lowerBound && time < upperBound }

  private func advance(to newest: Int64) {
    let limit = EventRows.representableTimes.upperBound - Self.farAway
    let new = min(newest, limit) + Self.farAway
    horizon = horizon == .max ? new : max(horizon, new)
    if clock == nil { setClock(near: newest) }
  }

  /// Codes are finest near the lower bound, or near a day ago when that is nowhere near.
  private func setClock(near time: Int64) {
    let limit = EventRows.representableTimes.lowerBound + Self.farAway
    let clock = CoarseTime(base: max(lowerBound, max(time, limit) - Self.farAway))
    self.clock = clock
  }

  // MARK: Events

  /// Adds a stored event; one outside the bounds is ignored.
  package func insert(time: Int64, fingerprint: UInt64) {
    guard covers(time) else { return }
    if clock == nil { setClock(near: time) }
    if room < 1 {
      makeRoom(for: 1)
      guard covers(time) else { return }
    }
    table.insert(fingerprint, code: code(of: time))
  }

  @inline(__always)
  private func code(of time: Int64) -> UInt64 {
    guard time <= horizon, let clock else {
      earliestFar = min(earliestFar, time)
      return CoarseTime.far
    }
    return clock.code(of: time)
  }

  /// Whether the event may be stored; false is certain.
  package func contains(time: Int64, fingerprint: UInt64) -> Bool {
    !covers(time) || table.contains(fingerprint)
  }

  /// Adds the rows that survived, whose events are stored now.
  package func insert(_ rows: EventRows, where survivors: [Bool]) {
    precondition(survivors.count == rows.count, "each row survives or does not")
    guard rows.count > 0 else { return }
    advance(to: rows.newestTime)
    survivors.withUnsafeBufferPointer { survivors in
      var start = 0
      while start < rows.count {
        let end = min(rows.count, start + min(Self.chunk, capacity / 8))
        insert(rows, start..<end, where: survivors)
        start = end
      }
    }
  }

  /// Adds stored events, an instant and a fingerprint each; those outside the bounds are ignored.
  package func insert(times: [Int64], fingerprints: [UInt64]) {
    precondition(times.count == fingerprints.count, "an event has both")
    var start = 0
    while start < times.count {
      let end = min(times.count, start + min(Self.chunk, capacity / 8))
      insert(start..<end) { (times[$0], fingerprints[$0]) }
      start = end
    }
  }

  /// Adds some rows.
  private func insert(
    _ rows: EventRows, _ range: Range<Int>, where survivors: UnsafeBufferPointer<Bool>
  ) {
    let (times, visitors, hashes) = (rows.times, rows.visitorNumbers, rows.eventIDHashes)
    let visitorHashes = rows.visitors.allHashes
    insert(range) { row in
      guard survivors[row] else { return nil }
      let fingerprint = EventHash.fingerprint(
        visitorHash: visitorHashes[Int(visitors[row])], time: times[row],
        eventIDHash: hashes[row])
      return (times[row], fingerprint)
    }
  }

  /// Adds some events in the order of their places in the table, which is thrice as fast as theirs.
  @inline(__always)
  private func insert(_ range: Range<Int>, _ event: (Int) -> (time: Int64, print: UInt64)?) {
    if room < range.count { makeRoom(for: range.count) }
    let isRoomy = clock != nil && room >= range.count
    var words = GrowableBuffer<UInt64>(capacity: range.count)
    for index in range {
      guard let (time, fingerprint) = event(index), covers(time) else { continue }
      if isRoomy {
        words.append(fingerprint & ~CoarseTime.mask | code(of: time))
      } else {
        insert(time: time, fingerprint: fingerprint)
      }
    }
    table.insert(words.elements)
  }

  /// The rows of which `contains` says that they may be stored, ascending.
  ///
  /// Each block of rows first reads a slot of the table for each row: reads that wait for memory
  /// together, because nothing is decided between them.
  package func suspects(in rows: EventRows) -> [Int32] {
    var suspects: [Int32] = []
    withUnsafeTemporaryAllocation(of: FingerprintTable.Probe.self, capacity: Self.block) { probes in
      for start in stride(from: 0, to: rows.count, by: Self.block) {
        let block = start..<min(rows.count, start + Self.block)
        probe(rows, block, into: probes)
        for row in block where !covers(rows.times[row]) || table.contains(probes[row &- start]) {
          suspects.append(Int32(truncatingIfNeeded: row))
        }
      }
    }
    return suspects
  }

  private func probe(
    _ rows: EventRows, _ block: Range<Int>,
    into probes: UnsafeMutableBufferPointer<FingerprintTable.Probe>
  ) {
    let (times, visitors, hashes) = (rows.times, rows.visitorNumbers, rows.eventIDHashes)
    let visitorHashes = rows.visitors.allHashes
    for row in block {
      probes[row &- block.lowerBound] = table.probe(
        EventHash.fingerprint(
          visitorHash: visitorHashes[Int(visitors[row])], time: times[row],
          eventIDHash: hashes[row]))
    }
  }

  // MARK: Room

  /// How many more fingerprints the table takes as it is.
  private var room: Int { min(capacity, Self.entries(in: table.slotCount)) - table.count }

  /// Makes room for at least one more fingerprint, and for as many as this if it can.
  private func makeRoom(for additional: Int) {
    guard let clock else { return }
    let stale = sweptBound == lowerBound ? 0 : table.count(below: clock.code(of: lowerBound))
    let largest = Self.slots(for: capacity)
    if stale >= table.count / 4 || table.slotCount == largest { sweep(clock) }
    if room < additional, table.slotCount < largest {
      let needed = Self.slots(for: min(capacity, table.count + additional))
      table.resize(to: min(max(table.slotCount * 2, needed), largest))
    }
    guard table.slotCount == largest else { return }
    let free = max(additional, capacity / 8)
    if table.count > capacity - free { evict() }
    if table.count > capacity - free { evict() }
  }

  /// Removes what is forgotten, and moves the base when the codes have become coarse.
  private func sweep(_ clock: CoarseTime, andFar: Bool = false) {
    var target = clock
    let times = EventRows.representableTimes
    let bound = min(max(lowerBound, times.lowerBound), times.upperBound)
    if bound - clock.base > 10 * Self.farAway { target = CoarseTime(base: bound) }
    let (minimum, base) = (clock.code(of: bound), clock.base)
    table.sweep { code in
      if code < minimum || (andFar && code == CoarseTime.far) { return nil }
      return target.base == base ? code : clock.rebased(code, to: target)
    }
    (self.clock, sweptBound) = (target, lowerBound)
  }

  /// Gives up the far future if it takes much room, else about the oldest quarter.
  private func evict() {
    guard let clock else { return }
    var sample = table.sampleCodes()
    let near = sample.filter { $0 != CoarseTime.far }
    if (sample.count - near.count) * 8 >= sample.count {
      upperBound = min(upperBound, earliestFar)
      earliestFar = .max
      sweep(clock, andFar: true)
      // Far when they came, those may be of the past by now: then nothing current is covered, and
      // the cache is to be filled anew.
      if upperBound <= horizon - Self.farAway { return reset(coveringFrom: .max) }
      if table.count <= capacity / 8 * 6 { return }
    }
    sample = near.sorted()
    guard let oldest = sample.dropFirst(sample.count / 4).first else { return }
    lowerBound = max(lowerBound, clock.end(of: oldest))
    sweep(self.clock ?? clock)
  }
}
