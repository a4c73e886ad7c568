@testable import Parquet

/// Turns nested values into levels by the rules of the Dremel paper, as slowly and plainly as can
/// be: the writer's columns take levels from their caller.
struct Shredder {
  let schema: ParquetSchema
  let columns: [ColumnBuffer]

  init(_ fields: [SchemaNode], byteArrays: ByteArrayEncoding) throws {
    schema = try ParquetSchema(fields)
    columns = schema.leaves.map { leaf in
      switch leaf.physicalType {
      case .boolean: BooleanColumn(leaf)
      case .int32: Int32Column(leaf)
      case .int64: Int64Column(leaf)
      case .float: FloatColumn(leaf)
      case .double: DoubleColumn(leaf)
      case .byteArray: ByteArrayColumn(leaf, encoding: byteArrays)
      case .int96, .fixedLenByteArray: preconditionFailure("the writer has no such column")
      }
    }
  }

  /// Appends one row: one value for each field.
  func append(_ row: [Tree]) {
    var leaf = 0
    for (field, value) in zip(schema.fields, row) {
      write(field, value, Place(definition: 0, repetition: 0, depth: 0), &leaf)
    }
  }

  private struct Place {
    /// Definition level so far.
    var definition: UInt8
    /// Repetition level of the next value.
    var repetition: UInt8
    /// How many repeated fields enclose the value.
    var depth: UInt8
  }

  private func write(_ node: SchemaNode, _ value: Tree, _ place: Place, _ leaf: inout Int) {
    var place = place
    if node.repetition == .optional {
      if case .null = value { return writeAbsent(node, place, &leaf) }
      place.definition += 1
    }
    switch (node.kind, value) {
    case (.leaf, .leaf(let sample)):
      columns[leaf].append(sample, definition: place.definition, repetition: place.repetition)
      leaf += 1
    case (.group(let fields, _), .group(let values)):
      for (field, value) in zip(fields, values) { write(field, value.value, place, &leaf) }
    case (.group(let fields, _), .list(let items)):
      writeItems(fields[0], items, place, &leaf)
    default: preconditionFailure("the value has not the shape of \(node.name)")
    }
  }

  /// `entries` is the repeated group of a list or map.
  private func writeItems(
    _ entries: SchemaNode, _ items: [Tree], _ place: Place, _ leaf: inout Int
  ) {
    guard !items.isEmpty, case .group(let fields, _) = entries.kind else {
      return writeAbsent(entries, place, &leaf)
    }
    let first = leaf
    for (index, item) in items.enumerated() {
      leaf = first
      let inner = Place(
        definition: place.definition + 1,
        repetition: index == 0 ? place.repetition : place.depth + 1, depth: place.depth + 1)
      if entries.name == "key_value", case .group(let pair) = item {
        for (field, value) in zip(fields, pair) { write(field, value.value, inner, &leaf) }
      } else {
        write(fields[0], item, inner, &leaf)
      }
    }
  }

  private func writeAbsent(_ node: SchemaNode, _ place: Place, _ leaf: inout Int) {
    switch node.kind {
    case .leaf:
      columns[leaf].appendLevels(definition: place.definition, repetition: place.repetition)
      leaf += 1
    case .group(let fields, _):
      for field in fields { writeAbsent(field, place, &leaf) }
    }
  }
}

extension SchemaNode {
  /// A value of this shape.
  func randomTree(_ random: inout SplitMix) -> Tree {
    if repetition == .optional, random.next() % 4 == 0 { return .null }
    switch kind {
    case .leaf(let type, _, _): return .leaf(Self.sample(type, &random))
    case .group(let fields, .list):
      guard case .group(let inner, _) = fields[0].kind else { return .null }
      return .list((0..<random.next() % 4).map { _ in inner[0].randomTree(&random) })
    case .group(let fields, .map):
      guard case .group(let pair, _) = fields[0].kind else { return .null }
      return .list(
        (0..<random.next() % 4).map { number in
          let key = Tree.leaf(.bytes(Array("k\(number)".utf8)))
          return .group([("key", key), ("value", pair[1].randomTree(&random))])
        })
    case .group(let fields, _):
      return .group(fields.map { ($0.name, $0.randomTree(&random)) })
    }
  }

  private static func sample(_ type: PhysicalType, _ random: inout SplitMix) -> Sample {
    let number = random.next()
    switch type {
    case .boolean: return .boolean(number % 2 == 0)
    case .int32: return .int32(Int32(truncatingIfNeeded: number))
    case .int64: return .int64(Int64(bitPattern: number))
    case .float: return .float(Float(number % 1000))
    case .double: return .double(Double(number))
    default: return .bytes(Array("text \(number % 60)".utf8))
    }
  }
}
