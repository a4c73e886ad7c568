import Clickstream

/// What became of one value, copied out of the decoder's borrowed memory.
enum Outcome: Equatable {
  case row(Row)
  case dead(DeadLetterReason, String)

  struct Row: Equatable {
    var eventID: String?
    var customerID: String?
    var productID: String?
    var eventType: String?
    var sessionID: String?
    var page: String?
    var eventTime: Int64
    var rescuedData: String?
    var declared: [String]
  }

  var row: Row? { if case .row(let row) = self { row } else { nil } }

  var reason: DeadLetterReason? { if case .dead(let reason, _) = self { reason } else { nil } }

  var detail: String { if case .dead(_, let detail) = self { detail } else { "" } }
}

extension ClickEventDecoder {
  func outcome(_ value: [UInt8]?) -> Outcome {
    guard let value else { return outcome(of: decode(nil)) }
    return value.withUnsafeBytes { outcome(of: decode($0)) }
  }

  func outcome(_ value: String) -> Outcome { outcome(Array(value.utf8)) }

  private func outcome(of letter: DeadLetter?) -> Outcome {
    if let letter { return .dead(letter.reason, letter.detail) }
    return .row(
      Outcome.Row(
        eventID: event.eventID.string, customerID: event.customerID.string,
        productID: event.productID.string, eventType: event.eventType.string,
        sessionID: event.sessionID.string, page: event.page.string, eventTime: event.eventTime,
        rescuedData: event.rescuedData.string, declared: event.declared.map(\.text)))
  }
}

extension DeclaredValue {
  fileprivate var text: String {
    switch self {
    case .null: "null"
    case .string(let bytes): "string " + (bytes.string ?? "null")
    case .long(let value): "long \(value)"
    case .double(let value): "double \(value)"
    case .boolean(let value): "boolean \(value)"
    case .timestamp(let value): "timestamp \(EventTime.format(value))"
    }
  }
}
