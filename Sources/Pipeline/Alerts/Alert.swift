internal import JSON

/// One thing that somebody must hear of, once.
package struct Alert: Equatable, Sendable {
  package enum Event: String, Sendable {
    /// Runs fail, as often in a row as `on_failure.after` says.
    case failing
    /// No run succeeded for `on_failure.no_success_for`, whatever the reason.
    case noSuccess = "no_success"
    /// The first success after one of the others.
    case recovered
    /// The daemon ends because an operator is needed.
    case stopped
  }

  package var event: Event
  /// The error's code, such as `KAFKA_UNAVAILABLE`; `nil` when there is none.
  package var code: String?
  /// One line for a pager or a chat: what happened, and what to do.
  package var text: String
  package var consecutiveFailures: Int
  /// Milliseconds since 1970; `nil` before the first success of this process.
  package var lastSuccess: Int64?

  /// What a webhook gets, and a program on its standard input.
  ///
  /// Chats show the member `text`.
  package func document(host: String) -> String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("text", "shopmetricsd on \(host): \(text)")
    writer.field("event", event.rawValue)
    writer.key("code")
    if let code { writer.string(code) } else { writer.null() }
    writer.field("host", host)
    writer.key("consecutiveFailures")
    writer.int(consecutiveFailures)
    writer.key("lastSuccessMs")
    if let lastSuccess { writer.int(lastSuccess) } else { writer.null() }
    writer.endObject()
    return writer.text
  }
}
