import JSON

/// How actions write their fields: in the order of the calls, absent fields left out, the keys of
/// maps sorted so that the same action is always the same bytes.
extension JSONWriter {
  mutating func field(_ name: String, ifPresent value: String?) {
    if let value { field(name, value) }
  }

  mutating func field(_ name: String, ifPresent value: Int64?) {
    if let value { field(name, value) }
  }

  mutating func field(_ name: String, ifPresent value: Bool?) {
    if let value { field(name, value) }
  }

  mutating func field(_ name: String, _ values: [String]) {
    key(name)
    beginArray()
    for value in values { string(value) }
    endArray()
  }

  mutating func field(_ name: String, _ map: [String: String?]) {
    key(name)
    beginObject()
    for (name, value) in map.sorted(by: { $0.key < $1.key }) {
      key(name)
      if let value { string(value) } else { null() }
    }
    endObject()
  }

  mutating func field(_ name: String, _ map: [String: String]) {
    key(name)
    beginObject()
    for (name, value) in map.sorted(by: { $0.key < $1.key }) { field(name, value) }
    endObject()
  }
}
