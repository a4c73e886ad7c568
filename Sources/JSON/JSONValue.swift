/// A JSON text as a tree.
///
/// For the small texts that are looked at as a whole: Delta log lines, offset logs, statistics.
/// Numbers keep their text, objects their order and duplicates.
package indirect enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

extension JSONValue {
  package var isNull: Bool { self == .null }

  package var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }

  package var stringValue: String? { if case .string(let value) = self { value } else { nil } }

  package var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }

  package var objectValue: JSONObject? { if case .object(let value) = self { value } else { nil } }

  package var numberValue: JSONNumber? { if case .number(let value) = self { value } else { nil } }

  /// The value if it is a number that is written as an integer and fits.
  package var int64Value: Int64? { numberValue?.int64 }

  package var doubleValue: Double? { numberValue?.double }

  /// The type for messages, such as "a string".
  package var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

/// A number as it was written: `1.0`, `1e0` and `1` are three numbers, and none loses digits.
package struct JSONNumber: Equatable, Sendable {
  package let text: String

  /// `text` must be a number of RFC 8259; it is written as it is.
  package init(text: String) { self.text = text }

  package init(_ value: Int64) { text = String(value) }

  /// Nil for a fraction, an exponent, or a value that does not fit.
  package var int64: Int64? { Int64(text) }

  /// The nearest double; nil when there is none (1e400).
  package var double: Double? {
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }
}

/// The members of an object in the order of the text, duplicates included; look-ups see the last.
package struct JSONObject: Sendable {
  package var members: [(key: String, value: JSONValue)]

  package init(members: [(key: String, value: JSONValue)] = []) { self.members = members }

  /// The value of the last member with this key.
  ///
  /// Setting replaces all of them, at the place of the
  /// first; setting nil removes them.
  package subscript(key: String) -> JSONValue? {
    get { members.last { $0.key == key }?.value }
    set {
      let place = members.firstIndex { $0.key == key } ?? members.endIndex
      members.removeAll { $0.key == key }
      if let newValue { members.insert((key, newValue), at: place) }
    }
  }

  package func string(_ key: String) -> String? { self[key]?.stringValue }

  package func int64(_ key: String) -> Int64? { self[key]?.int64Value }

  package func bool(_ key: String) -> Bool? { self[key]?.boolValue }

  package func object(_ key: String) -> JSONObject? { self[key]?.objectValue }

  package func array(_ key: String) -> [JSONValue]? { self[key]?.arrayValue }
}

extension JSONObject: Equatable {
  /// Equal members in the same order.
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.elementsEqual(right.members) { $0.key == $1.key && $0.value == $1.value }
  }
}
