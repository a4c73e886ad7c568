import Glibc

/// The JSON fields that Bronze has columns for, in the order of the schema.
enum KnownField: Int, CaseIterable {
  case eventID, customerID, productID, eventType, sessionID, page, eventTime

  var name: String {
    switch self {
    case .eventID: "event_id"
    case .customerID: "customer_id"
    case .productID: "product_id"
    case .eventType: "event_type"
    case .sessionID: "session_id"
    case .page: "page"
    case .eventTime: "event_ts"
    }
  }

  static let count = allCases.count
  static let required: [KnownField] = [.eventID, .eventType, .sessionID, .page, .eventTime]

  /// Identifiers may come as JSON integers; their column holds the source text.
  var acceptsInteger: Bool {
    switch self {
    case .eventID, .customerID, .productID, .sessionID: true
    case .eventType, .page, .eventTime: false
    }
  }

  /// The field of this name.
  ///
  /// The length picks the few candidates, so that a known name costs one
  /// or two comparisons of a constant length, whatever the order of the keys.
  @inline(__always)
  init?(_ name: UnsafePointer<UInt8>, count: Int) {
    switch count {
    case 4 where Self.matches(name, "page"): self = .page
    case 8 where Self.matches(name, "event_id"): self = .eventID
    case 8 where Self.matches(name, "event_ts"): self = .eventTime
    case 10 where Self.matches(name, "product_id"): self = .productID
    case 10 where Self.matches(name, "event_type"): self = .eventType
    case 10 where Self.matches(name, "session_id"): self = .sessionID
    case 11 where Self.matches(name, "customer_id"): self = .customerID
    default: return nil
    }
  }

  @inline(__always)
  private static func matches(_ name: UnsafePointer<UInt8>, _ expected: StaticString) -> Bool {
    memcmp(name, expected.utf8Start, expected.utf8CodeUnitCount) == 0
  }
}
