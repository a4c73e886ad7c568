internal import JSON
internal import Systemd

/// Every setting with its value and where the value is from; secrets are masked.
package struct ConfigurationDump: Sendable {
  /// A key, or one of the pass-through properties.
  private struct Entry {
    let table: String
    let key: String
    /// `nil` when the setting has neither a value nor a default.
    let value: TOMLValue?
    /// Of the file; `nil` for a default.
    let line: Int?
    /// What holds in the place of an absent setting, for people.
    let instead: String?
  }

  private let path: String
  private let changedSettings: Int
  private let entries: [Entry]
  /// The entries of `[[columns]]`.
  private let columns: [TOMLNode]

  init(_ loader: ConfigurationLoader, path: String) {
    self.path = path
    changedSettings = loader.changedSettings
    let rows = Schema.settings.map { Self.entry($0, loader) }
    // The pass-through table has its place behind `[kafka.security]`, as in the shipped file.
    let split = (rows.lastIndex { $0.table == "kafka.security" } ?? rows.count - 1) + 1
    entries = rows[..<split] + Self.properties(loader) + rows[split...]
    if case .array(let elements) = loader.nodes[Schema.columnsTable]?.value {
      columns = elements
    } else {
      columns = []
    }
  }

  private static func entry(_ setting: Setting, _ loader: ConfigurationLoader) -> Entry {
    let node = loader.nodes[setting.path]
    return Entry(
      table: String(setting.table), key: String(setting.key),
      value: node.map { masked($0.value, setting.path) } ?? setting.defaultValue,
      line: node?.keyRegion.beginLine, instead: instead(of: setting.path, loader.configuration))
  }

  private static func instead(of path: String, _ configuration: Configuration) -> String? {
    switch path {
    case "control.socket": configuration.controlSocketPath
    case "on_failure.no_success_for": DurationText.text(configuration.successDeadline)
    default: nil
    }
  }

  private static func properties(_ loader: ConfigurationLoader) -> [Entry] {
    loader.configuration.kafka.properties.compactMap { property in
      let path = "\(Schema.passThroughTable).\(property.name)"
      guard let node = loader.nodes[path] else { return nil }
      return Entry(
        table: Schema.passThroughTable, key: property.name, value: masked(node.value, path),
        line: node.keyRegion.beginLine, instead: nil)
    }
  }

  private static func masked(_ value: TOMLValue, _ path: String) -> TOMLValue {
    SecretKeys.mayHoldSecret(path) ? .string(Secret("").description) : value
  }

  /// In the form of the shipped file: what is not set stands behind a `#`.
  ///
  /// Is a configuration file itself, with the same meaning but for the secrets.
  package var toml: String {
    let name = PrintableText.escaping(path)
    var lines = ["# \(name): \(Self.changeCount(changedSettings))"]
    var table = ""
    for entry in entries {
      if entry.table != table {
        table = entry.table
        lines += ["", "[\(table)]"]
      }
      lines.append(line(entry, in: name))
    }
    for column in columns {
      guard case .table(let members) = column.value else { continue }
      lines += ["", "[[\(Schema.columnsTable)]]  # \(name):\(column.valueRegion.beginLine)"]
      lines += members.map { "\($0.key) = \(TOMLText.literal($0.value))" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func line(_ entry: Entry, in name: String) -> String {
    guard let value = entry.value else {
      return "# \(entry.key) is not set" + (entry.instead.map { ": \($0)" } ?? "")
    }
    let key = entry.table == Schema.passThroughTable ? TOMLText.quoted(entry.key) : entry.key
    let text = "\(key) = \(TOMLText.literal(value))"
    return entry.line.map { "\(text)  # \(name):\($0)" } ?? "#\(text)  # default"
  }

  /// One object; each setting has its `key`, its `value` (null when absent) and its `origin`
  /// (`file` with a `line`, `default` or `unset`).
  package var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("file", path)
    writer.field("changed", changedSettings)
    writer.key("settings")
    writer.beginArray()
    for entry in entries { write(entry, to: &writer) }
    writer.endArray()
    writer.field("columns", TOMLText.json(.array(columns)))
    writer.endObject()
    return writer.text
  }

  private func write(_ entry: Entry, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("key", "\(entry.table).\(entry.key)")
    writer.field("value", entry.value.map(TOMLText.json) ?? .null)
    if let line = entry.line {
      writer.field("origin", "file")
      writer.field("line", line)
    } else {
      writer.field("origin", entry.value == nil ? "unset" : "default")
    }
    writer.endObject()
  }

  /// As `2 settings changed from their defaults`.
  package static func changeCount(_ count: Int) -> String {
    switch count {
    case 0: "all settings have their defaults"
    case 1: "1 setting changed from its default"
    default: "\(count) settings changed from their defaults"
    }
  }
}

extension Setting {
  /// The default as the parser reads it.
  fileprivate var defaultValue: TOMLValue? {
    guard let defaultText else { return nil }
    return try? TOMLDocument.parse(Array("default = \(defaultText)".utf8)).first?.value
  }
}

extension TOMLText {
  /// A value as a file holds it, on one line.
  static func literal(_ value: TOMLValue) -> String {
    switch value {
    case .table(let members):
      "{ " + members.map { "\(quoted($0.key)) = \(literal($0.value))" }.joined(separator: ", ")
        + " }"
    case .array(let elements):
      "[" + elements.map { literal($0.value) }.joined(separator: ", ") + "]"
    case .string(let text): quoted(text)
    case .integer, .float, .boolean, .moment: spelled(value)
    }
  }

  static func json(_ value: TOMLValue) -> JSONValue {
    switch value {
    case .table(let members):
      .object(JSONObject(members: members.map { ($0.key, json($0.value)) }))
    case .array(let elements): .array(elements.map { json($0.value) })
    case .string(let text), .moment(let text): .string(text)
    case .integer(let number): .number(JSONNumber(number))
    case .float(let number):
      number.isFinite ? .number(JSONNumber(text: "\(number)")) : .string("\(number)")
    case .boolean(let flag): .bool(flag)
    }
  }
}
