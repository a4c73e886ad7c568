internal import Glibc

/// What a session counts separately: the four declared values of `event_type`.
package enum EventKind: UInt8, Sendable, BitwiseCopyable {
  case pageView, addToCart, purchase, search
  /// Any other value: it counts as an event and as nothing else.
  case other

  /// The kind of an `event_type`, compared byte for byte.
  package init(_ eventType: UnsafeRawBufferPointer) {
    self =
      switch eventType.count {
      case 9 where Self.matches(eventType, "page_view"): .pageView
      case 11 where Self.matches(eventType, "add_to_cart"): .addToCart
      case 8 where Self.matches(eventType, "purchase"): .purchase
      case 6 where Self.matches(eventType, "search"): .search
      default: .other
      }
  }

  @inline(__always)
  private static func matches(_ bytes: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
    guard let start = bytes.baseAddress else { return false }
    return memcmp(start, name.utf8Start, name.utf8CodeUnitCount) == 0
  }
}

/// Where a Bronze row came from, ordered by its parts as they are declared.
///
/// Of the duplicates of an event the one with the smallest position survives.
package struct SourcePosition: Comparable, Hashable, Sendable, BitwiseCopyable {
  /// When Bronze took the row in: microseconds since 1970.
  package var ingestedAt: Int64
  package var partition: Int32
  package var offset: Int64

  package init(ingestedAt: Int64, partition: Int32, offset: Int64) {
    (self.ingestedAt, self.partition, self.offset) = (ingestedAt, partition, offset)
  }

  package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
    (left.ingestedAt, left.partition, left.offset)
      < (right.ingestedAt, right.partition, right.offset)
  }
}
