import JSON

/// The fields of one action, read with the tolerance of the Delta protocol: unknown fields are
/// ignored, a field that is null counts as absent, and a field of another type is an error that
/// names it.
struct ActionFields {
  let action: String
  let object: JSONObject

  private func value(_ key: String) -> JSONValue? {
    guard let value = object[key], value != .null else { return nil }
    return value
  }

  private func fault(_ key: String, expected: String) -> ActionError {
    guard let value = value(key) else {
      return ActionError("\(action).\(key): expected \(expected), found nothing")
    }
    return ActionError("\(action).\(key): expected \(expected), found \(excerpt(of: value))")
  }

  /// Enough of a value to recognise it, not enough to fill a terminal.
  private func excerpt(of value: JSONValue) -> String {
    let text = value.text
    return text.utf8.count <= 60 ? text : text.prefix(60) + "…"
  }

  func optionalString(_ key: String) throws(ActionError) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let text) = value else { throw fault(key, expected: "a string") }
    return text
  }

  func string(_ key: String) throws(ActionError) -> String {
    guard let text = try optionalString(key) else { throw fault(key, expected: "a string") }
    return text
  }

  func optionalInteger(_ key: String) throws(ActionError) -> Int64? {
    guard let value = value(key) else { return nil }
    guard case .number(let number) = value, let integer = number.int64 else {
      throw fault(key, expected: "a 64-bit integer")
    }
    return integer
  }

  func integer(_ key: String) throws(ActionError) -> Int64 {
    guard let integer = try optionalInteger(key) else {
      throw fault(key, expected: "a 64-bit integer")
    }
    return integer
  }

  func size(_ key: String) throws(ActionError) -> Int64 {
    let size = try integer(key)
    guard size >= 0 else { throw fault(key, expected: "a size of 0 or more bytes") }
    return size
  }

  func optionalBool(_ key: String) throws(ActionError) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .bool(let flag) = value else { throw fault(key, expected: "true or false") }
    return flag
  }

  func bool(_ key: String) throws(ActionError) -> Bool {
    guard let flag = try optionalBool(key) else { throw fault(key, expected: "true or false") }
    return flag
  }

  func optionalObject(_ key: String) throws(ActionError) -> JSONObject? {
    guard let value = value(key) else { return nil }
    guard case .object(let object) = value else { throw fault(key, expected: "an object") }
    return object
  }

  func optionalStrings(_ key: String) throws(ActionError) -> [String]? {
    guard let value = value(key) else { return nil }
    guard case .array(let elements) = value else {
      throw fault(key, expected: "an array of strings")
    }
    var strings: [String] = []
    for element in elements {
      guard case .string(let text) = element else {
        throw fault(key, expected: "an array of strings")
      }
      strings.append(text)
    }
    return strings
  }

  /// A map whose values are strings or null, such as `partitionValues`.
  func optionalMap(_ key: String) throws(ActionError) -> [String: String?]? {
    guard let object = try optionalObject(key) else { return nil }
    var map: [String: String?] = [:]
    for (name, value) in object.members {
      switch value {
      case .string(let text): map.updateValue(text, forKey: name)
      case .null: map.updateValue(nil, forKey: name)
      default: throw fault(key, expected: "a map of strings")
      }
    }
    return map
  }

  /// The same, where null values mean nothing, such as `configuration` and `tags`.
  func optionalTextMap(_ key: String) throws(ActionError) -> [String: String]? {
    try optionalMap(key)?.compactMapValues { $0 }
  }
}
