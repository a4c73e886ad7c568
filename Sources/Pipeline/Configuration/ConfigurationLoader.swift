/// Walks the parsed file along the schema and collects what is wrong with it.
struct ConfigurationLoader {
  private(set) var configuration = Configuration(brokers: [])
  private(set) var problems: [ConfigurationProblem] = []
  /// Where each key that is present stands, by dotted path.
  private(set) var nodes: [String: TOMLNode] = [:]
  /// What could not be looked at from here, in whole sentences; only for other readers than the service.
  private(set) var notes: [String] = []
  let source: SourceText
  let reader: ConfigurationFile.Reader

  init(source: SourceText, _ reader: ConfigurationFile.Reader = .service) {
    self.source = source
    self.reader = reader
  }

  /// Reads everything that can be judged key by key; `false` when the text is not even TOML.
  mutating func parse(_ bytes: [UInt8]) -> Bool {
    if let refusal = TOMLGuard.refusal(of: bytes) {
      problems.append(
        ConfigurationProblem(
          place: source.place(ofByte: refusal.byteOffset), message: refusal.message))
      return false
    }
    do {
      walk(try TOMLDocument.parse(bytes), under: "")
      return true
    } catch {
      problems.append(
        ConfigurationProblem(place: source.place(of: error.region), message: error.message))
      return false
    }
  }

  /// By line and column; what is about the whole file comes last.
  var problemsInOrder: [ConfigurationProblem] {
    problems.enumerated().sorted { left, right in
      let (first, second) = (left.element.place, right.element.place)
      guard let first, let second else { return first != nil && second == nil }
      return (first.line, first.column, left.offset) < (second.line, second.column, right.offset)
    }.map(\.element)
  }

  /// How many settings have another value than the default; each pass-through property and each
  /// column counts.
  var changedSettings: Int {
    let defaults = Configuration(brokers: [])
    let changed = Schema.settings.filter { setting in
      var configuration = defaults
      guard let node = nodes[setting.path] else { return false }
      return setting.assign(node.value, &configuration) && configuration != defaults
    }
    return changed.count + configuration.kafka.properties.count + configuration.columns.count
  }

  mutating func remember(_ node: TOMLNode, as path: String) { nodes[path] = node }

  /// Records a problem at the value of a key, or about the file when the key is absent.
  mutating func report(_ path: String, _ message: String) {
    report(nodes[path]?.valueRegion, message)
  }

  mutating func report(_ region: TOMLRegion?, _ message: String) {
    problems.append(
      ConfigurationProblem(place: region.flatMap(source.place(of:)), message: message))
  }

  /// A problem for the service; for others, who may see less, only a note.
  mutating func reportToService(_ path: String, _ message: String) {
    report(path, message, asNote: reader != .service)
  }

  /// A problem, or a sentence about what could not be looked at.
  mutating func report(_ path: String, _ message: String, asNote: Bool) {
    if asNote {
      notes.append("\(path) is not checked here: \(message)")
    } else {
      report(path, message)
    }
  }

  mutating func update(_ change: (inout Configuration) -> Void) { change(&configuration) }

  private mutating func walk(_ children: [TOMLNode], under table: String) {
    for node in children {
      let path = table.isEmpty ? node.key : "\(table).\(node.key)"
      if path == Schema.passThroughTable {
        readProperties(node)
      } else if path == Schema.columnsTable {
        readColumns(node)
      } else if let setting = Schema.setting(path) {
        assign(node, to: setting)
      } else if Schema.tables.contains(where: { $0 == path || $0.hasPrefix(path + ".") }) {
        enter(node, path)
      } else {
        report(node.keyRegion, unknown(path, in: table, isTable: isTable(node)))
      }
    }
  }

  private mutating func enter(_ node: TOMLNode, _ path: String) {
    guard case .table(let children) = node.value else {
      report(node.valueRegion, "\(path) is a table, written [\(path)]")
      return
    }
    walk(children, under: path)
  }

  private mutating func assign(_ node: TOMLNode, to setting: Setting) {
    nodes[setting.path] = node
    guard !setting.assign(node.value, &configuration) else { return }
    let found =
      SecretKeys.mayHoldSecret(setting.path)
      ? "is not usable (not shown: it may hold a secret)" : "is \(TOMLText.spelled(node.value))"
    let usual = setting.defaultText.map { " (default \($0))" } ?? ""
    report(node.valueRegion, "\(setting.path) \(found); expected \(setting.expectation)\(usual)")
  }

  private func unknown(_ path: String, in table: String, isTable: Bool) -> String {
    let noun = isTable ? "table" : "setting"
    let hint = isTable ? Suggestion.table(for: path) : Suggestion.key(for: path, in: table)
    return "\(path) is not a \(noun)" + (hint.map { "; did you mean \"\($0)\"?" } ?? "")
  }

  private func isTable(_ node: TOMLNode) -> Bool {
    switch node.value {
    case .table: true
    case .array(let elements): elements.contains(where: isTable)
    default: false
    }
  }
}

extension ConfigurationLoader {
  /// Reads `[kafka.librdkafka]`, where `a.b = 1` without quotes is meant as one name.
  private mutating func readProperties(_ node: TOMLNode) {
    guard case .table(let children) = node.value else {
      report(
        node.valueRegion, "\(Schema.passThroughTable) is a table of librdkafka's properties")
      return
    }
    nodes[Schema.passThroughTable] = node
    for child in children { readProperty(child, name: child.key) }
  }

  private mutating func readProperty(_ node: TOMLNode, name: String) {
    let value: String
    switch node.value {
    case .table(let children):
      for child in children { readProperty(child, name: "\(name).\(child.key)") }
      return
    case .string(let text): value = text
    case .integer(let number): value = String(number)
    case .float(let number): value = String(number)
    case .boolean(let flag): value = flag ? "true" : "false"
    case .array, .moment:
      report(
        node.valueRegion, "librdkafka property \(name) takes a text, a number, true or false")
      return
    }
    nodes["\(Schema.passThroughTable).\(name)"] = node
    guard !value.utf8.contains(0) else {
      report(node.valueRegion, "librdkafka property \(name) holds a NUL character")
      return
    }
    configuration.kafka.properties.append(LibrdkafkaProperty(name: name, value: value))
  }
}
