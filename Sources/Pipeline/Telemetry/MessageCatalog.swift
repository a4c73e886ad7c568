/// What can be read up about one kind of journal line.
///
/// Texts are prose for people in a hurry; commands stand in backquotes. A line break is a space.
package struct CatalogMessage: Sendable {
  /// The value of the line's field `SHOPMETRICS_CODE`.
  package let code: String
  /// The value of its field `MESSAGE_ID`: 32 hexadecimal digits, made once and never changed
  /// (systemd.journal-fields(7)).
  package let id: String
  /// One sentence without a full stop.
  package let subject: String
  /// What leads to it.
  package let cause: String
  /// What to do; says so when that is nothing.
  package let remedy: String

  init(_ code: String, _ id: String, _ subject: String, cause: String, remedy: String) {
    self.code = code
    self.id = id
    self.subject = subject
    self.cause = cause
    self.remedy = remedy
  }
}

/// Every code of a journal line, once: the journal's ids and catalog and the manual come from it.
package enum MessageCatalog {
  /// Codes of one kind, under the heading that the manual gives them.
  package struct Section: Sendable {
    package let title: String
    package let messages: [CatalogMessage]
  }

  package static let sections = [
    Section(title: "What the daemon does", messages: events),
    Section(title: "Kafka", messages: kafka),
    Section(title: "Checkpoints and Bronze", messages: bronze),
    Section(title: "Delta tables", messages: tables),
    Section(title: "Silver", messages: silver),
    Section(title: "Disk", messages: disk),
    Section(title: "Machine and configuration", messages: machine),
    Section(title: "The operator's commands", messages: operations),
  ]

  package static let all = sections.flatMap(\.messages)

  private static let ids = Dictionary(
    all.map { ($0.code, $0.id) }, uniquingKeysWith: { first, _ in first })

  /// The journal's id of the lines with that code; `nil` for a code that is not in the catalog.
  package static func id(of code: String) -> String? { ids[code] }
}
