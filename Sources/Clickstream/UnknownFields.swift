import Glibc
import JSON

/// The top-level fields of one record that no column takes, on their way to `rescued_data`.
struct UnknownFields: ~Copyable {
  /// One member as ranges of the payload, which is smaller than 4 GiB.
  private struct Member {
    /// The key with its quotes.
    let key: Range<UInt32>
    let value: Range<UInt32>
    /// Where the decoded name is: in the payload, or in the scratch memory of names if the key has
    /// escapes.
    let name: Range<UInt32>
    let isNameInScratch: Bool
    var isReplaced = false
  }

  private var members: [Member] = []
  private var names = ScratchBuffer()
  private var output = ScratchBuffer()

  /// Up to here each name is compared with each; above, they are sorted, which allocates.
  private static let pairwiseLimit = 32

  mutating func removeAll() {
    members.removeAll(keepingCapacity: members.capacity <= 1 << 14)
    names.removeAll()
    output.removeAll()
  }

  var isEmpty: Bool { members.isEmpty }

  mutating func append(key: JSONStringToken, value: Range<Int>, in scanner: JSONScanner) {
    var name = key.start..<key.end
    if key.isEscaped {
      if names.count == 0 { names.reserve(scanner.count) }
      let count = scanner.unescape(key, into: names.next)
      name = names.count..<(names.count + count)
      names.advance(by: count)
    }
    members.append(
      Member(
        key: Self.narrow((key.start - 1)..<(key.end + 1)), value: Self.narrow(value),
        name: Self.narrow(name), isNameInScratch: key.isEscaped))
  }

  private static func narrow(_ range: Range<Int>) -> Range<UInt32> {
    UInt32(truncatingIfNeeded: range.lowerBound)..<UInt32(truncatingIfNeeded: range.upperBound)
  }

  /// One JSON object of the members in source order, keys and values as written.
  ///
  /// Of a name given twice only the last is kept.
  mutating func object(in scanner: JSONScanner) -> FieldBytes {
    guard !members.isEmpty else { return .null }
    markReplaced(payload: scanner.base)
    // The braces and each colon and comma have their like in the payload, so it always fits.
    output.reserve(scanner.count)
    for index in 0..<members.count where !members[index].isReplaced {
      let member = members[index]
      output.append(output.count == 0 ? 0x7B : 0x2C)
      append(member.key, of: scanner.base)
      output.append(0x3A)
      append(member.value, of: scanner.base)
    }
    output.append(0x7D)
    return FieldBytes(start: UnsafePointer(output.base), count: output.count)
  }

  private mutating func append(_ range: Range<UInt32>, of payload: UnsafePointer<UInt8>) {
    output.append(payload + Int(range.lowerBound), count: range.count)
  }

  private mutating func markReplaced(payload: UnsafePointer<UInt8>) {
    if members.count <= Self.pairwiseLimit {
      for later in 0..<members.count {
        for earlier in 0..<later where compare(earlier, later, payload) == 0 {
          members[earlier].isReplaced = true
        }
      }
    } else {
      let order = members.indices.sorted {
        let difference = compare($0, $1, payload)
        return difference == 0 ? $0 < $1 : difference < 0
      }
      for (earlier, later) in zip(order, order.dropFirst())
      where compare(earlier, later, payload) == 0 {
        members[earlier].isReplaced = true
      }
    }
  }

  private func compare(_ left: Int, _ right: Int, _ payload: UnsafePointer<UInt8>) -> Int {
    let (a, b) = (members[left], members[right])
    if a.name.count != b.name.count { return a.name.count - b.name.count }
    return Int(memcmp(start(a, payload), start(b, payload), a.name.count))
  }

  private func start(
    _ member: Member, _ payload: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    (member.isNameInScratch ? UnsafePointer(names.base) : payload) + Int(member.name.lowerBound)
  }
}
