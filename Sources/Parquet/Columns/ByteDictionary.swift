internal import Glibc

/// The distinct byte strings of a column, numbered in the order of their first appearance.
///
/// Open addressing over a table of words: the upper half of a word is a part of the hash, the lower
/// half the entry's number + 1. The strings lie in one arena in the form of the dictionary page
/// (PLAIN: 4 bytes of length, then the bytes). Nothing is allocated for a value that is known.
struct ByteDictionary: ~Copyable {
  /// What the dictionary page holds.
  private(set) var arena = ByteBuffer()
  private var offsets = ByteBuffer()
  private let byteLimit: Int
  private var table: UnsafeMutablePointer<UInt64>
  private var mask: Int
  private(set) var count = 0
  /// Strings come from strangers; a hash they cannot predict cannot be made to collide.
  private let seed = UInt64.random(in: .min ... .max)

  init(byteLimit: Int) {
    self.byteLimit = byteLimit
    mask = 1023
    table = .allocate(capacity: mask + 1)
    table.initialize(repeating: 0, count: mask + 1)
  }

  deinit { table.deallocate() }

  mutating func reset() {
    guard count > 0 else { return }
    table.update(repeating: 0, count: mask + 1)
    arena.removeAll()
    offsets.removeAll()
    count = 0
  }

  var byteCount: Int { arena.count + offsets.count + (count == 0 ? 0 : (mask + 1) * 8) }

  /// The number of `bytes`, which become an entry if they are new.
  ///
  /// Nil when they are new and would push the dictionary page past the limit, unless `unlimited`.
  mutating func index(of bytes: UnsafeRawBufferPointer, unlimited: Bool) -> UInt32? {
    let tag = hash(bytes) & 0xFFFF_FFFF_0000_0000
    var slot = Int(truncatingIfNeeded: tag >> 32) & mask
    while true {
      let word = table[slot]
      if word == 0 { break }
      if word & 0xFFFF_FFFF_0000_0000 == tag {
        let index = UInt32(truncatingIfNeeded: word) &- 1
        if equals(entry(Int(index)), bytes) { return index }
      }
      slot = (slot &+ 1) & mask
    }
    guard unlimited || arena.count + 4 + bytes.count <= byteLimit else { return nil }
    return insert(bytes, tag: tag, slot: slot)
  }

  func entry(_ index: Int) -> UnsafeRawBufferPointer {
    let offset = offsets.base.load(fromByteOffset: index &* 8, as: Int.self)
    let length = (arena.base + offset).loadUnaligned(as: UInt32.self)
    return UnsafeRawBufferPointer(start: arena.base + offset + 4, count: Int(length))
  }

  @inline(never)
  private mutating func insert(_ bytes: UnsafeRawBufferPointer, tag: UInt64, slot: Int) -> UInt32 {
    let index = UInt32(count)
    offsets.append(arena.count)
    arena.append(UInt32(bytes.count))
    arena.append(bytes: bytes)
    table[slot] = tag | UInt64(index + 1)
    count += 1
    if count * 2 > mask { enlarge() }
    return index
  }

  private mutating func enlarge() {
    let old = UnsafeMutableBufferPointer(start: table, count: mask + 1)
    mask = mask * 2 + 1
    table = .allocate(capacity: mask + 1)
    table.initialize(repeating: 0, count: mask + 1)
    for word in old where word != 0 {
      var slot = Int(truncatingIfNeeded: word >> 32) & mask
      while table[slot] != 0 { slot = (slot + 1) & mask }
      table[slot] = word
    }
    old.deallocate()
  }

  @inline(__always)
  private func equals(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
    return memcmp(first, second, left.count) == 0
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
