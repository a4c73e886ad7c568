/// An event before it is written, so that a flaw can be put into one place of it.
struct EventDraft {
  let eventID: String
  let customer: Int?
  let product: Int?
  let type: String
  let sessionID: String
  let page: String
  let time: Int64
  /// Further members with their leading comma.
  let extras: String

  /// The payload in the layout of the shop's own producer.
  func text(eventID: String? = nil, page: String? = nil, time: String? = nil) -> String {
    let eventID = eventID ?? "\"event_id\": \"\(self.eventID)\", "
    let page = page ?? "\"\(self.page)\""
    let time = time ?? EventTime.format(self.time).replacingZone
    return "{\(eventID)\"customer_id\": \(Self.number(customer)), "
      + "\"product_id\": \(Self.number(product)), \"event_type\": \"\(type)\", "
      + "\"session_id\": \"\(sessionID)\", \"page\": \(page), \"event_ts\": \"\(time)\"\(extras)}"
  }

  private static func number(_ value: Int?) -> String { value.map(String.init) ?? "null" }
}

extension String {
  /// The site writes `+00:00` where our own format has `Z`.
  fileprivate var replacingZone: String { dropLast() + "+00:00" }
}

/// The ways in which records of a real topic are broken.
enum EventFlaw: CaseIterable {
  case truncated, notJSON, tombstone, array, withoutID, wrongType, withoutZone, latin1

  var reason: DeadLetterReason {
    switch self {
    case .truncated, .notJSON: .invalidJSON
    case .tombstone: .nullValue
    case .array: .notAnObject
    case .withoutID: .missingField
    case .wrongType: .wrongType
    case .withoutZone: .badTimestamp
    case .latin1: .invalidUTF8
    }
  }

  /// `cut`, in `0..<1`, is where a truncated record ends.
  func value(of draft: EventDraft, cut: Double) -> [UInt8]? {
    switch self {
    case .truncated:
      let whole = Array(draft.text().utf8)
      return Array(whole.prefix(1 + Int(cut * Double(whole.count - 1))))
    case .notJSON: return Array("not json \(draft.eventID)".utf8)
    case .tombstone: return nil
    case .array: return Array("[\(draft.text())]".utf8)
    case .withoutID: return Array(draft.text(eventID: "").utf8)
    case .wrongType: return Array(draft.text(page: "17").utf8)
    case .withoutZone:
      let time = EventTime.format(draft.time).dropLast()
      return Array(draft.text(time: String(time)).utf8)
    case .latin1:
      let parts = draft.text(page: "\"/caf?\"").utf8.split(separator: 0x3F, maxSplits: 1)
      return Array(parts.joined(separator: [0xE9]))
    }
  }
}
