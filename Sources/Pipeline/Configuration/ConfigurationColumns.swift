internal import Clickstream
internal import DeltaLake

/// `[[columns]]`: further columns of Bronze.
extension ConfigurationLoader {
  /// The keys of one entry, and what each may be.
  static let columnKeys = ["name", "field", "type"]

  private static let types = ValueForm<DeclaredType>.choice

  private static let columnName = ValueForm<String>.text(
    "a column name: a letter or _, then letters, digits or _, at most 128"
  ) { name in
    guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
    return !(0x30...0x39).contains(first) && name.utf8.allSatisfy(isNameByte)
  }

  private static let fieldName = ValueForm<String>.text("the name of a JSON field") {
    !$0.isEmpty && $0.utf8.count <= 1024
  }

  /// Reads all entries; an entry that cannot be read is reported and left out.
  mutating func readColumns(_ node: TOMLNode) {
    guard case .array(let entries) = node.value else {
      report(node.valueRegion, "columns is a list of tables, each written [[columns]]")
      return
    }
    remember(node, as: Schema.columnsTable)
    for entry in entries {
      guard case .table(let members) = entry.value else {
        report(entry.valueRegion, "a column is a table, written [[columns]]")
        continue
      }
      readColumn(members, of: entry)
    }
  }

  private mutating func readColumn(_ members: [TOMLNode], of entry: TOMLNode) {
    let before = problems.count
    for member in members where !Self.columnKeys.contains(member.key) {
      let hint = Suggestion.nearest(to: member.key, among: Self.columnKeys)
      report(
        member.keyRegion,
        "columns.\(member.key) is not a setting"
          + (hint.map { "; did you mean \"\($0)\"?" } ?? ""))
    }
    let name = value("name", members, entry, Self.columnName)
    let type = value("type", members, entry, Self.types)
    let hasField = members.contains { $0.key == "field" }
    let field = hasField ? value("field", members, entry, Self.fieldName) : name
    guard problems.count == before, let name, let type, let field else { return }
    let column = DeclaredColumn(name: name, field: field, type: type)
    if let conflict = conflict(column) {
      let key = conflict.isField && hasField ? "field" : "name"
      report(members.first { $0.key == key }?.valueRegion, conflict.message)
    } else {
      update { $0.columns.append(column) }
    }
  }

  /// The value of one key of an entry; `nil` after a report.
  private mutating func value<Value>(
    _ key: String, _ members: [TOMLNode], _ entry: TOMLNode, _ form: ValueForm<Value>
  ) -> Value? {
    guard let member = members.first(where: { $0.key == key }) else {
      report(entry.valueRegion, "columns.\(key) is required; expected \(form.expectation)")
      return nil
    }
    guard let value = form.read(member.value) else {
      report(
        member.valueRegion,
        "columns.\(key) is \(TOMLText.spelled(member.value)); expected \(form.expectation)")
      return nil
    }
    return value
  }

  /// Readers of Delta tables see column names without regard to case, so they must differ so.
  private func conflict(_ column: DeclaredColumn) -> (message: String, isField: Bool)? {
    let name = column.name.lowercased()
    if BronzeSchema.raw.field(named: name) != nil {
      return ("columns.name is \"\(column.name)\", which Bronze has already", false)
    }
    if configuration.columns.contains(where: { $0.name.lowercased() == name }) {
      return ("columns.name is \"\(column.name)\", which is declared twice", false)
    }
    if DeclaredColumn.reservedFields.contains(column.field) {
      return ("columns.field is \"\(column.field)\", which Bronze reads already", true)
    }
    if configuration.columns.contains(where: { $0.field == column.field }) {
      return ("columns.field is \"\(column.field)\", which another column reads", true)
    }
    return nil
  }

  @Sendable private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
