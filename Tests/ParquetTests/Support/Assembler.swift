import Testing

@testable import Parquet

/// A value as the Python readers print it.
enum TextTree: Decodable, Equatable, Sendable {
  case null
  case text(String)
  case list([TextTree])
  case group([String: TextTree])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let items = try? container.decode([TextTree].self) {
      self = .list(items)
    } else {
      self = .group(try container.decode([String: TextTree].self))
    }
  }
}

/// Puts a field's rows together from the levels of its leaves, by the rules of the Dremel paper.
struct Assembler {
  private struct Entry {
    let repetition: UInt8
    let definition: UInt8
    let value: TextTree
  }

  let file: FileReader

  /// All rows of the field at `index` among the schema's fields.
  func rows(ofField index: Int) throws -> [TextTree] {
    let field = file.schema.fields[index]
    let first = file.schema.fields[..<index].reduce(0) { $0 + $1.leafCount }
    return try (0..<file.rowGroupCount).flatMap { rowGroup in
      let leaves = try (first..<first + field.leafCount).map { try entries(rowGroup, $0) }
      let rows = leaves.map { split($0, at: 0) }
      return (0..<file.rowCount(ofRowGroup: rowGroup)).map { row in
        build(field, rows.map { $0[row] }, definition: 0, depth: 0)
      }
    }
  }

  private func entries(_ rowGroup: Int, _ leaf: Int) throws -> [Entry] {
    let values = try file.readColumn(rowGroup: rowGroup, leaf: leaf)
    let text = values.values.texts(file.schema.leaves[leaf])
    let all = values.entries { text[$0] }
    #expect(all.count == values.entryCount)
    return all.enumerated().map { index, value in
      Entry(
        repetition: values.repetitionLevels.isEmpty ? 0 : values.repetitionLevels[index],
        definition: values.definitionLevels.isEmpty ? 0 : values.definitionLevels[index],
        value: value.map(TextTree.text) ?? .null)
    }
  }

  private func split(_ entries: some Collection<Entry>, at depth: UInt8) -> [ArraySlice<Entry>] {
    var parts: [[Entry]] = []
    for entry in entries {
      if parts.isEmpty || entry.repetition <= depth { parts.append([]) }
      parts[parts.count - 1].append(entry)
    }
    return parts.map { $0[...] }
  }

  private func build(
    _ node: SchemaNode, _ leaves: [ArraySlice<Entry>], definition: UInt8, depth: UInt8
  ) -> TextTree {
    guard let entry = leaves.first?.first else { return .null }
    var definition = definition
    if node.repetition == .optional {
      definition += 1
      if entry.definition < definition { return .null }
    }
    switch node.kind {
    case .leaf: return entry.value
    case .group(let fields, let meaning) where meaning == .list || meaning == .map:
      guard entry.definition > definition else { return .list([]) }
      let parts = leaves.map { split($0, at: depth + 1) }
      return .list(
        (0..<parts[0].count).map { item in
          let inner = parts.map { $0[item] }
          guard case .group(let inside, _) = fields[0].kind else { return .null }
          return meaning == .map
            ? group(inside, inner, definition: definition + 1, depth: depth + 1)
            : build(inside[0], inner, definition: definition + 1, depth: depth + 1)
        })
    case .group(let fields, _): return group(fields, leaves, definition: definition, depth: depth)
    }
  }

  private func group(
    _ fields: [SchemaNode], _ leaves: [ArraySlice<Entry>], definition: UInt8, depth: UInt8
  ) -> TextTree {
    var rest = leaves[...]
    var members: [String: TextTree] = [:]
    for field in fields {
      let own = Array(rest.prefix(field.leafCount))
      rest = rest.dropFirst(field.leafCount)
      members[field.name] = build(field, own, definition: definition, depth: depth)
    }
    return .group(members)
  }
}

extension SchemaNode {
  fileprivate var leafCount: Int {
    switch kind {
    case .leaf: 1
    case .group(let fields, _): fields.reduce(0) { $0 + $1.leafCount }
    }
  }
}

extension ColumnValues.Storage {
  /// The values in the form of `Sample.text`; decimals as their unscaled integers.
  func texts(_ leaf: LeafColumn) -> [String] {
    switch self {
    case .boolean(let values): values.map { Sample.boolean($0).text }
    case .int32(let values) where leaf.logicalType == .integer(bitWidth: 32, signed: false):
      values.map { String(UInt32(bitPattern: $0)) }
    case .int32(let values): values.map { Sample.int32($0).text }
    case .int64(let values), .timestampFromInt96(let values):
      values.map { Sample.int64($0).text }
    case .float(let values): values.map { Sample.float($0).text }
    case .double(let values): values.map { Sample.double($0).text }
    case .byteArray(let values): (0..<values.count).map { Sample.bytes(values[$0]).text }
    case .fixed(let values):
      (0..<values.count).map { index in
        guard case .decimal = leaf.logicalType else { return Sample.bytes(values[index]).text }
        let start: Int64 = (values[index].first ?? 0) >= 0x80 ? -1 : 0
        return String(values[index].reduce(start) { $0 << 8 | Int64($1) })
      }
    }
  }
}
