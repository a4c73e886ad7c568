/// One session of a visitor.
///
/// All times are in microseconds since 1970.
package struct Session: Equatable, Sendable, BitwiseCopyable {
  /// A number of the set's `VisitorTable`.
  package var visitor: Int32
  /// The time of the first and of the last event.
  package var first: Int64
  package var last: Int64
  /// The timestamp of the last batch that changed the session.
  package var updatedAt: Int64
  package var eventCount: Int32
  package var pageViewCount: Int32
  package var addToCartCount: Int32
  package var purchaseCount: Int32
  package var searchCount: Int32
  /// Whether any event names the customer: then the visitor is a customer's id.
  package var isIdentified: Bool

  package init(
    visitor: Int32, first: Int64, last: Int64, updatedAt: Int64, eventCount: Int32 = 0,
    pageViewCount: Int32 = 0, addToCartCount: Int32 = 0, purchaseCount: Int32 = 0,
    searchCount: Int32 = 0, isIdentified: Bool = false
  ) {
    (self.visitor, self.first, self.last, self.updatedAt) = (visitor, first, last, updatedAt)
    (self.eventCount, self.pageViewCount) = (eventCount, pageViewCount)
    (self.addToCartCount, self.purchaseCount) = (addToCartCount, purchaseCount)
    (self.searchCount, self.isIdentified) = (searchCount, isIdentified)
  }

  /// Whether anything was bought.
  package var converted: Bool { purchaseCount > 0 }

  /// Whole seconds from the first to the last event.
  package var durationSeconds: Int64 { (last - first) / 1_000_000 }

  /// Counts one event's kind in (`by` 1) or out again (`by` -1); the number of events stays.
  package mutating func count(_ kind: EventKind, by difference: Int32) {
    switch kind {
    case .pageView: pageViewCount += difference
    case .addToCart: addToCartCount += difference
    case .purchase: purchaseCount += difference
    case .search: searchCount += difference
    case .other: break
    }
  }

  /// Takes in another session of the same visitor: the counts add up, the times embrace both.
  ///
  /// Counts end at the largest value of their column's type, int.
  mutating func absorb(_ other: Session) {
    first = min(first, other.first)
    last = max(last, other.last)
    eventCount = Self.sum(eventCount, other.eventCount)
    pageViewCount = Self.sum(pageViewCount, other.pageViewCount)
    addToCartCount = Self.sum(addToCartCount, other.addToCartCount)
    purchaseCount = Self.sum(purchaseCount, other.purchaseCount)
    searchCount = Self.sum(searchCount, other.searchCount)
    isIdentified = isIdentified || other.isIdentified
  }

  @inline(__always)
  private static func sum(_ left: Int32, _ right: Int32) -> Int32 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }
}
