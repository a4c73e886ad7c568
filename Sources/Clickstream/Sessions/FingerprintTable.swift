/// Words of 46 bits of fingerprint above an 18-bit code, in open addressing.
///
/// A word's place follows from its fingerprint, in the order of the fingerprints, so that the
/// table can be swept and enlarged without the events. 0 is a free slot: no code is 0.
struct FingerprintTable: ~Copyable {
  private var slots: UnsafeMutablePointer<UInt64>
  private(set) var slotCount: Int
  private(set) var count = 0

  init(slotCount: Int) {
    self.slotCount = slotCount
    slots = Self.freeSlots(slotCount)
  }

  deinit { slots.deallocate() }

  private static func freeSlots(_ count: Int) -> UnsafeMutablePointer<UInt64> {
    let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: count)
    slots.initialize(repeating: 0, count: count)
    return slots
  }

  var byteCount: Int { slotCount * MemoryLayout<UInt64>.stride }

  @inline(__always)
  private func home(of word: UInt64) -> Int {
    let print = word & ~CoarseTime.mask
    return Int(truncatingIfNeeded: print.multipliedFullWidth(by: UInt64(slotCount)).high)
  }

  @inline(__always)
  private func next(_ place: Int) -> Int { place &+ 1 == slotCount ? 0 : place &+ 1 }

  @inline(__always)
  func contains(_ fingerprint: UInt64) -> Bool {
    var place = home(of: fingerprint)
    while slots[place] != 0 {
      if (slots[place] ^ fingerprint) >> CoarseTime.bits == 0 { return true }
      place = next(place)
    }
    return false
  }

  /// A look-up that has been started: the fingerprint and the first slot where it may be.
  struct Probe: BitwiseCopyable {
    let fingerprint: UInt64
    let slot: UInt64
  }

  @inline(__always)
  func probe(_ fingerprint: UInt64) -> Probe {
    Probe(fingerprint: fingerprint, slot: slots[home(of: fingerprint)])
  }

  @inline(__always)
  func contains(_ probe: Probe) -> Bool { probe.slot != 0 && contains(probe.fingerprint) }

  /// Adds a word; there is a free slot besides the one that it takes.
  ///
  /// Of events that share 46 bits one word remains, with the later code: it goes when both may go.
  /// Far ones have their own word, because they go at another time.
  @inline(__always)
  mutating func insert(_ fingerprint: UInt64, code: UInt64) {
    let word = fingerprint & ~CoarseTime.mask | code
    var place = home(of: word)
    while slots[place] != 0 {
      let held = slots[place]
      if (held ^ word) >> CoarseTime.bits == 0,
        (held & CoarseTime.mask == CoarseTime.far) == (code == CoarseTime.far)
      {
        slots[place] = max(held, word)
        return
      }
      place = next(place)
    }
    slots[place] = word
    count &+= 1
  }

  /// Adds words, for which there is room, in the order of their upper eight bits.
  ///
  /// A 256th of the table stays in the processor's cache while its words go in.
  mutating func insert(_ words: UnsafeBufferPointer<UInt64>) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 257) { ends in
      ends.initialize(repeating: 0)
      for index in 0..<words.count { ends[Int(words[index] >> 56) &+ 1] &+= 1 }
      for part in 1...256 { ends[part] &+= ends[part &- 1] }
      let sorted = UnsafeMutablePointer<UInt64>.allocate(capacity: words.count)
      defer { sorted.deallocate() }
      for index in 0..<words.count {
        let part = Int(words[index] >> 56)
        sorted[ends[part]] = words[index]
        ends[part] &+= 1
      }
      for index in 0..<words.count {
        insert(sorted[index], code: sorted[index] & CoarseTime.mask)
      }
    }
  }

  /// How many codes are below `minimum`.
  func count(below minimum: UInt64) -> Int {
    var found = 0
    for place in 0..<slotCount {
      let code = slots[place] & CoarseTime.mask
      found &+= code != 0 && code < minimum ? 1 : 0
    }
    return found
  }

  /// The codes of about a thousand events, picked by their fingerprints, which is at random.
  func sampleCodes() -> [UInt64] {
    UnsafeBufferPointer(start: slots, count: min(slotCount, 2048))
      .map { $0 & CoarseTime.mask }.filter { $0 != 0 }
  }

  mutating func resize(to size: Int) {
    let (old, oldCount) = (slots, slotCount)
    (slots, slotCount, count) = (Self.freeSlots(size), size, 0)
    for place in 0..<oldCount where old[place] != 0 {
      insert(old[place], code: old[place] & CoarseTime.mask)
    }
    old.deallocate()
  }

  /// Gives each word another code, or removes it when `newCode` is nil, in place.
  ///
  /// From a free slot on, each word is taken out and put back: the slots before it are settled
  /// already, and its own is free at last. Nothing then stands behind a gap.
  mutating func sweep(_ newCode: (UInt64) -> UInt64?) {
    var place = 0
    while slots[place] != 0 { place += 1 }
    for _ in 1..<slotCount {
      place = next(place)
      let word = slots[place]
      guard word != 0 else { continue }
      slots[place] = 0
      count &-= 1
      if let code = newCode(word & CoarseTime.mask) { insert(word, code: code) }
    }
  }
}
