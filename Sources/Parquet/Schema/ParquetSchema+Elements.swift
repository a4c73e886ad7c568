extension ParquetSchema {
  /// The tree as the footer holds it: depth first, the root first.
  var elements: [SchemaElement] {
    [SchemaElement(name: "spark_schema", numChildren: Int32(fields.count))]
      + fields.flatMap(\.elements)
  }
}

extension SchemaNode {
  fileprivate var elements: [SchemaElement] {
    switch kind {
    case .leaf(let type, let meaning, let typeLength):
      var element = element(meaning)
      element.type = type
      element.typeLength = typeLength
      if case .decimal(let precision, let scale) = meaning {
        element.precision = precision
        element.scale = scale
      }
      return [element]
    case .group(let fields, let meaning):
      var element = element(meaning)
      element.numChildren = Int32(fields.count)
      return [element] + fields.flatMap(\.elements)
    }
  }

  private func element(_ meaning: LogicalType) -> SchemaElement {
    SchemaElement(
      repetition: repetition, name: name, convertedType: meaning.convertedType,
      logicalType: meaning == .none ? nil : meaning)
  }
}
