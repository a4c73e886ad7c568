/// The distinct byte strings of a column, numbered in the order of their first appearance.
///
/// Open addressing over slots that name a string's place, so that a look-up touches two places in
/// memory: the slot and the string. The strings lie in one arena in the form of the dictionary page
/// (PLAIN: 4 bytes of length, then the bytes). Nothing is allocated for a value that is known.
struct ByteDictionary: ~Copyable {
  private struct Slot {
    /// 0 for a free slot, else the entry's number + 1.
    var number: UInt32 = 0
    var hash: UInt32 = 0
    var offset: UInt32 = 0
    var length: UInt32 = 0
  }

  /// What the dictionary page holds.
  private(set) var arena = ByteBuffer()
  private let byteLimit: Int
  private var table: UnsafeMutablePointer<Slot>
  private var mask = 255
  private(set) var count = 0
  /// Strings come from strangers; a hash they cannot predict cannot be made to collide.
  private let seed = UInt64.random(in: .min ... .max)

  /// The limit is that of the dictionary page, below 4 GiB.
  init(byteLimit: Int) {
    precondition(byteLimit <= Int(UInt32.max), "a dictionary page is at most 4 GiB")
    self.byteLimit = byteLimit
    table = Self.freeTable(mask + 1)
  }

  deinit { table.deallocate() }

  private static func freeTable(_ capacity: Int) -> UnsafeMutablePointer<Slot> {
    let table = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
    table.initialize(repeating: Slot(), count: capacity)
    return table
  }

  mutating func reset() {
    guard count > 0 else { return }
    table.update(repeating: Slot(), count: mask + 1)
    arena.removeAll()
    count = 0
  }

  var byteCount: Int {
    count == 0 ? 0 : arena.count + (mask + 1) * MemoryLayout<Slot>.stride
  }

  /// The number of `bytes`, which become an entry if they are new.
  ///
  /// Nil when they are new and would push the dictionary page past the limit, unless `unlimited`.
  mutating func index(of bytes: UnsafeRawBufferPointer, unlimited: Bool) -> UInt32? {
    let hash = UInt32(truncatingIfNeeded: hash(bytes))
    var place = Int(hash) & mask
    while true {
      let slot = table[place]
      if slot.number == 0 { break }
      if slot.hash == hash, Int(slot.length) == bytes.count,
        Self.equal(arena.base + Int(slot.offset) + 4, bytes)
      {
        return slot.number &- 1
      }
      place = (place &+ 1) & mask
    }
    guard unlimited || arena.count + 4 + bytes.count <= byteLimit else { return nil }
    return insert(bytes, hash: hash, place: place)
  }

  @inline(never)
  private mutating func insert(
    _ bytes: UnsafeRawBufferPointer, hash: UInt32, place: Int
  ) -> UInt32 {
    precondition(
      arena.count + 4 + bytes.count <= Int(UInt32.max),
      "the strings of one row do not make a dictionary larger than 4 GiB")
    count += 1
    table[place] = Slot(
      number: UInt32(count), hash: hash, offset: UInt32(arena.count),
      length: UInt32(bytes.count))
    arena.append(UInt32(bytes.count))
    arena.append(bytes: bytes)
    if count * 3 > mask * 2 { enlarge() }
    return UInt32(count - 1)
  }

  private mutating func enlarge() {
    let old = UnsafeMutableBufferPointer(start: table, count: mask + 1)
    mask = mask * 2 + 1
    table = Self.freeTable(mask + 1)
    for slot in old where slot.number != 0 {
      var place = Int(slot.hash) & mask
      while table[place].number != 0 { place = (place + 1) & mask }
      table[place] = slot
    }
    old.deallocate()
  }

  /// Calls `body` with each entry in the order of the numbers.
  func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
    var offset = 0
    while offset < arena.count {
      let length = Int((arena.base + offset).loadUnaligned(as: UInt32.self))
      body(UnsafeRawBufferPointer(start: arena.base + offset + 4, count: length))
      offset += 4 + length
    }
  }

  /// Whether as many bytes from `entry` on are the same.
  @inline(__always)
  private static func equal(_ entry: UnsafeRawPointer, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return true }
    var (left, right, rest) = (entry, start, bytes.count)
    while rest > 16 {
      if left.loadUnaligned(as: UInt64.self) != right.loadUnaligned(as: UInt64.self) {
        return false
      }
      (left, right, rest) = (left + 8, right + 8, rest &- 8)
    }
    return lastWords(left, rest) == lastWords(right, rest)
  }

  /// Folds 16 bytes per step by a 64 x 64 bit multiplication.
  @inline(__always)
  private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let start = bytes.baseAddress, !bytes.isEmpty else { return Self.fold(seed, Self.odd) }
    var rest = bytes.count
    var next = start
    var state = seed ^ UInt64(truncatingIfNeeded: bytes.count)
    while rest > 16 {
      state = Self.fold(
        next.loadUnaligned(as: UInt64.self) ^ Self.odd,
        next.loadUnaligned(fromByteOffset: 8, as: UInt64.self) ^ state)
      next += 16
      rest &-= 16
    }
    let (head, tail) = Self.lastWords(next, rest)
    return Self.fold(Self.fold(head ^ Self.odd, tail ^ state), Self.odd2)
  }

  /// 1 to 16 bytes as two words, which overlap for lengths between.
  @inline(__always)
  private static func lastWords(_ start: UnsafeRawPointer, _ count: Int) -> (UInt64, UInt64) {
    if count >= 8 {
      return (
        start.loadUnaligned(as: UInt64.self),
        start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      )
    }
    if count >= 4 {
      return (
        UInt64(start.loadUnaligned(as: UInt32.self)),
        UInt64(start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
      )
    }
    let first = UInt64(start.load(as: UInt8.self))
    let middle = UInt64(start.load(fromByteOffset: count &>> 1, as: UInt8.self))
    let last = UInt64(start.load(fromByteOffset: count &- 1, as: UInt8.self))
    return (first | middle << 8, last)
  }

  private static let odd: UInt64 = 0x9E37_79B9_7F4A_7C15
  private static let odd2: UInt64 = 0xD6E8_FEB8_6659_FD93

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
