internal import Glibc

/// The distinct visitors, numbered from 0 in the order of their first appearance.
///
/// Open addressing over slots of a number and half a hash; the bytes lie in one arena. Nothing is
/// allocated for a visitor that is known. Visitors are never forgotten: `SessionSet.rebuilt()`
/// starts a new table.
package final class VisitorTable {
  private struct Slot: BitwiseCopyable {
    /// 0 for a free slot, else the visitor's number + 1.
    var number: UInt32 = 0
    var tag: UInt32 = 0
  }

  // Not checked for exclusive access: the checks cost as much as the look-up.
  @exclusivity(unchecked) private var arena = GrowableBuffer<UInt8>(capacity: 4096)
  /// Where each visitor's bytes begin, and where the last one's end.
  @exclusivity(unchecked) private var starts = GrowableBuffer<Int>(capacity: 256)
  @exclusivity(unchecked) private var hashes = GrowableBuffer<UInt64>(capacity: 256)
  @exclusivity(unchecked) private var slots: UnsafeMutablePointer<Slot>
  @exclusivity(unchecked) private var mask = 255
  private let seed = EventHash.seed

  package init() {
    slots = Self.freeSlots(mask + 1)
    starts.append(0)
  }

  deinit { slots.deallocate() }

  private static func freeSlots(_ count: Int) -> UnsafeMutablePointer<Slot> {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
    slots.initialize(repeating: Slot(), count: count)
    return slots
  }

  /// How many visitors there are; their numbers are below it.
  package var count: Int { hashes.count }

  /// Bytes of memory held.
  package var byteCount: Int {
    arena.byteCount + starts.byteCount + hashes.byteCount
      + (mask + 1) * MemoryLayout<Slot>.stride
  }

  /// The number of the visitor of these bytes, a new one if need be.
  ///
  /// No bytes are a visitor too.
  package func id(of bytes: UnsafeRawBufferPointer) -> Int32 {
    let hash = EventHash.of(bytes, seed: seed)
    let place = place(of: bytes, hash: hash)
    let number = slots[place].number
    return number == 0
      ? insert(bytes, hash: hash, place: place) : Int32(truncatingIfNeeded: number &- 1)
  }

  /// The number of the visitor of these bytes; nil when they never appeared.
  package func find(_ bytes: UnsafeRawBufferPointer) -> Int32? {
    let number = slots[place(of: bytes, hash: EventHash.of(bytes, seed: seed))].number
    return number == 0 ? nil : Int32(truncatingIfNeeded: number &- 1)
  }

  /// Lends a visitor's bytes; they may move with the next new visitor.
  package func withBytes<Result>(
    of visitor: Int32, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result { try body(bytes(of: known(visitor))) }

  /// `EventHash.of` the visitor's bytes.
  package func hash(of visitor: Int32) -> UInt64 { hashes.base[known(visitor)] }

  /// The hashes by number, until the next new visitor.
  var allHashes: UnsafePointer<UInt64> { UnsafePointer(hashes.base) }

  // MARK: The slots

  @inline(__always)
  private func known(_ visitor: Int32) -> Int {
    precondition(
      visitor >= 0 && Int(visitor) < count, "a visitor's number comes from this table")
    return Int(visitor)
  }

  @inline(__always)
  private func bytes(of index: Int) -> UnsafeRawBufferPointer {
    let start = starts.base[index]
    return UnsafeRawBufferPointer(
      start: arena.base + start, count: starts.base[index &+ 1] &- start)
  }

  /// The slot that holds these bytes, or the free one where they belong.
  @inline(__always)
  private func place(of bytes: UnsafeRawBufferPointer, hash: UInt64) -> Int {
    let tag = UInt32(truncatingIfNeeded: hash >> 32)
    var place = Int(truncatingIfNeeded: hash) & mask
    while true {
      let slot = slots[place]
      if slot.number == 0 { return place }
      if slot.tag == tag, equal(Int(slot.number) &- 1, bytes) { return place }
      place = (place &+ 1) & mask
    }
  }

  @inline(__always)
  private func equal(_ index: Int, _ bytes: UnsafeRawBufferPointer) -> Bool {
    let held = self.bytes(of: index)
    guard held.count == bytes.count else { return false }
    guard let left = held.baseAddress, let right = bytes.baseAddress else { return true }
    return memcmp(left, right, bytes.count) == 0
  }

  @inline(never)
  private func insert(_ bytes: UnsafeRawBufferPointer, hash: UInt64, place: Int) -> Int32 {
    precondition(count < Int(Int32.max), "visitors are numbered in 31 bits")
    hashes.append(hash)
    bytes.withMemoryRebound(to: UInt8.self) { arena.append($0) }
    starts.append(arena.count)
    slots[place] = Slot(number: UInt32(count), tag: UInt32(truncatingIfNeeded: hash >> 32))
    if count * 3 > mask * 2 { enlarge() }
    return Int32(count - 1)
  }

  private func enlarge() {
    slots.deallocate()
    mask = mask * 2 + 1
    slots = Self.freeSlots(mask + 1)
    for index in 0..<count {
      let hash = hashes.base[index]
      var place = Int(truncatingIfNeeded: hash) & mask
      while slots[place].number != 0 { place = (place &+ 1) & mask }
      slots[place] = Slot(
        number: UInt32(index + 1), tag: UInt32(truncatingIfNeeded: hash >> 32))
    }
  }
}
