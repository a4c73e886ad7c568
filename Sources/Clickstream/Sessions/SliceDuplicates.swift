internal import Glibc

/// Duplicates among the rows of one slice: same visitor, time and event id.
package enum SliceDuplicates {
  /// The rows that share visitor, time and hash of the event id with another row, ascending.
  ///
  /// They are suspects only: whether the event ids are the same is for `losers` to find out.
  package static func suspects(in rows: EventRows) -> [Int32] {
    guard rows.count > 1 else { return [] }
    let seen = SeenRows(rows)
    var pairs: [(first: Int32, row: Int32)] = []
    for row in 0..<rows.count {
      if let first = seen.insert(row) { pairs.append((first, Int32(truncatingIfNeeded: row))) }
    }
    guard !pairs.isEmpty else { return [] }
    var suspects = pairs.map(\.row)
    suspects += Set(pairs.lazy.map(\.first))
    return suspects.sorted()
  }

  /// The suspects that are not the smallest by position among their duplicates, ascending.
  ///
  /// `eventID` lends the event id of a suspect, by its index in `suspects`. Of two rows in the same
  /// position, which Bronze does not have, the lower one survives.
  package static func losers(
    in rows: EventRows, suspects: [Int32], eventID: (Int) -> UnsafeRawBufferPointer
  ) -> [Int32] {
    let order = suspects.indices.sorted { left, right in
      let (left, right) = (Int(suspects[left]), Int(suspects[right]))
      let (leftKey, rightKey) = (key(rows, left), key(rows, right))
      if leftKey != rightKey { return leftKey < rightKey }
      return (rows.position(left), left) < (rows.position(right), right)
    }
    var losers: [Int32] = []
    /// The survivors of the group that is being read: one, unless hashes collided.
    var survivors: [Int] = []
    var groupKey: (Int32, Int64, UInt64)?
    for index in order {
      let row = Int(suspects[index])
      if let group = groupKey, group == key(rows, row) {
        if survivors.contains(where: { equal(eventID($0), eventID(index)) }) {
          losers.append(suspects[index])
          continue
        }
      } else {
        survivors.removeAll(keepingCapacity: true)
        groupKey = key(rows, row)
      }
      survivors.append(index)
    }
    return losers.sorted()
  }

  private static func key(_ rows: EventRows, _ row: Int) -> (Int32, Int64, UInt64) {
    (rows.visitor(row), rows.time(row), rows.eventIDHash(row))
  }

  private static func equal(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
  ) -> Bool {
    guard left.count == right.count else { return false }
    guard let start = left.baseAddress, let other = right.baseAddress else { return true }
    return memcmp(start, other, left.count) == 0
  }
}

/// The rows seen so far by their hashes: open addressing, at most half full.
private final class SeenRows {
  private let visitors: UnsafeBufferPointer<Int32>
  private let times: UnsafeBufferPointer<Int64>
  private let hashes: UnsafeBufferPointer<UInt64>
  private static let tagMask: UInt64 = 0xFFFF_FFFF_0000_0000
  /// Half a hash above, the row's number + 1 below; 0 is free.
  private let slots: UnsafeMutablePointer<UInt64>
  private let mask: Int
  private let seed = EventHash.seed

  init(_ rows: EventRows) {
    (visitors, times, hashes) = (rows.visitorNumbers, rows.times, rows.eventIDHashes)
    var capacity = 16
    while capacity < rows.count * 2 { capacity *= 2 }
    mask = capacity - 1
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: 0, count: capacity)
  }

  deinit { slots.deallocate() }

  /// The first row with the same key; nil if there is none, and then this row is it.
  @inline(__always)
  func insert(_ row: Int) -> Int32? {
    let (visitor, time, eventID) = (visitors[row], times[row], hashes[row])
    let who = seed ^ (UInt64(UInt32(bitPattern: visitor)) << 32)
    let hash = EventHash.fold(
      EventHash.fold(UInt64(bitPattern: time) ^ who, seed | 1) ^ eventID, 0x9FB2_1C65_1E98_DF25)
    let tag = hash & Self.tagMask
    var place = Int(truncatingIfNeeded: hash) & mask
    while true {
      let slot = slots[place]
      if slot == 0 { break }
      if slot & Self.tagMask == tag {
        let other = Int(slot & 0xFFFF_FFFF) &- 1
        if hashes[other] == eventID, times[other] == time, visitors[other] == visitor {
          return Int32(truncatingIfNeeded: other)
        }
      }
      place = (place &+ 1) & mask
    }
    slots[place] = tag | UInt64(row &+ 1)
    return nil
  }
}
