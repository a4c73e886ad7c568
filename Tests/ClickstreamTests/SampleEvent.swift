/// A complete event as text, member by member, so that a test can put one thing wrong.
struct SampleEvent {
  /// Names and values as JSON texts, in the order in which they are written.
  var members: [(key: String, value: String)] = [
    ("\"event_id\"", "\"0b6f2c1e-8f5d-4c3a-9a70-2f6d1b7c9e11\""),
    ("\"customer_id\"", "4711"),
    ("\"product_id\"", "null"),
    ("\"event_type\"", "\"page_view\""),
    ("\"session_id\"", "\"5e1c7a39-04d2-4b8f-a6cd-77b0e9f3d812\""),
    ("\"page\"", "\"/category/books\""),
    ("\"event_ts\"", "\"2026-02-01T10:20:30.123456+00:00\""),
  ]

  /// Microseconds of `event_ts`.
  static let time: Int64 = 1_769_941_230_123_456

  /// Replaces a field's value; nil removes the field.
  func with(_ field: String, _ value: String?) -> SampleEvent {
    var copy = self
    copy.members = members.compactMap { key, old in
      guard key == "\"\(field)\"" else { return (key, old) }
      return value.map { (key, $0) }
    }
    return copy
  }

  /// Adds a member, its key and value as JSON texts, before the one at `place`.
  func adding(_ key: String, _ value: String, at place: Int = 3) -> SampleEvent {
    var copy = self
    copy.members.insert((key, value), at: min(place, members.count))
    return copy
  }

  var text: String {
    "{" + members.map { "\($0.key): \($0.value)" }.joined(separator: ", ") + "}"
  }

  var bytes: [UInt8] { Array(text.utf8) }

  /// The event with `value`, any bytes, as the value of `field`, known or not.
  func bytes(_ field: String, _ value: [UInt8]) -> [UInt8] {
    let mark = "\u{1}"
    let isKnown = members.contains { $0.key == "\"\(field)\"" }
    let marked = isKnown ? with(field, mark) : adding("\"\(field)\"", mark)
    let parts = marked.text.utf8.split(separator: 1, omittingEmptySubsequences: false)
    return parts[0] + value + parts[1]
  }
}
