internal import Glibc

/// Finds the least and the greatest of many byte strings.
///
/// Most are told apart by their first eight bytes, compared as one number.
struct ByteBounds {
  private var least: (prefix: UInt64, bytes: UnsafeRawBufferPointer)?
  private var greatest: (prefix: UInt64, bytes: UnsafeRawBufferPointer)?

  @inline(__always)
  mutating func include(_ bytes: UnsafeRawBufferPointer) {
    let prefix = Self.prefix(bytes)
    guard let least, let greatest else {
      self.least = (prefix, bytes)
      self.greatest = (prefix, bytes)
      return
    }
    if prefix <= least.prefix, prefix < least.prefix || Self.precedes(bytes, least.bytes) {
      self.least = (prefix, bytes)
    }
    if prefix >= greatest.prefix,
      prefix > greatest.prefix || Self.precedes(greatest.bytes, bytes)
    {
      self.greatest = (prefix, bytes)
    }
  }

  var values: ValueBounds? {
    guard let least, let greatest else { return nil }
    return ValueBounds(min: .bytes([UInt8](least.bytes)), max: .bytes([UInt8](greatest.bytes)))
  }

  @inline(__always)
  private static func prefix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    if bytes.count >= 8 { return bytes.loadUnaligned(as: UInt64.self).bigEndian }
    var prefix: UInt64 = 0
    for byte in bytes { prefix = prefix << 8 | UInt64(byte) }
    return prefix << UInt64(8 * (8 - bytes.count))
  }

  private static func precedes(
    _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer
  ) -> Bool {
    let common = min(left.count, right.count)
    guard common > 0, let first = left.baseAddress, let second = right.baseAddress else {
      return left.count < right.count
    }
    let order = memcmp(first, second, common)
    return order < 0 || order == 0 && left.count < right.count
  }
}
