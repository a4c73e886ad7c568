import CTOML

/// From the first code point to behind the last; lines and columns count from 1.
struct TOMLRegion: Equatable {
  var beginLine: Int
  var beginColumn: Int
  var endLine: Int
  var endColumn: Int

  init(beginLine: Int, beginColumn: Int, endLine: Int, endColumn: Int) {
    self.beginLine = beginLine
    self.beginColumn = beginColumn
    self.endLine = endLine
    self.endColumn = endColumn
  }

  fileprivate init(_ region: ctoml_region) {
    beginLine = Int(region.begin_line)
    beginColumn = Int(region.begin_column)
    endLine = Int(region.end_line)
    endColumn = Int(region.end_column)
  }
}

/// A key with its value, or an element of an array (whose key is empty).
struct TOMLNode: Equatable {
  let key: String
  let keyRegion: TOMLRegion
  let valueRegion: TOMLRegion
  let value: TOMLValue
}

enum TOMLValue: Equatable {
  /// In the order of the file.
  case table([TOMLNode])
  case array([TOMLNode])
  case string(String)
  case integer(Int64)
  case float(Double)
  case boolean(Bool)
  /// A date, a time or both, as RFC 3339 writes them.
  case moment(String)
}

/// Why a text is not TOML.
struct TOMLSyntaxError: Error, Equatable {
  let message: String
  let region: TOMLRegion
}

/// The tree of a TOML 1.0 file, with the position of every key and value.
enum TOMLDocument {
  /// The top level's keys in the order of the file.
  ///
  /// Precondition: `TOMLGuard.refusal(of: bytes)` is `nil`, which bounds the recursion here and
  /// in the parser.
  static func parse(_ bytes: [UInt8]) throws(TOMLSyntaxError) -> [TOMLNode] {
    let parsed = bytes.withUnsafeBytes { raw in
      ctoml_parse(raw.baseAddress?.assumingMemoryBound(to: CChar.self), raw.count)
    }
    guard let document = parsed else {
      let start = TOMLRegion(beginLine: 1, beginColumn: 1, endLine: 1, endColumn: 2)
      throw TOMLSyntaxError(message: "memory is exhausted", region: start)
    }
    defer { ctoml_free(document) }
    var place = ctoml_region()
    let error = ctoml_error(document, &place)
    guard error.bytes == nil else {
      throw TOMLSyntaxError(message: text(error), region: TOMLRegion(place))
    }
    return tree(document)
  }

  private static func tree(_ document: OpaquePointer) -> [TOMLNode] {
    let flat = (0..<ctoml_count(document)).map { ctoml_node_at(document, $0).pointee }
    var children: [Int32: [Int]] = [:]
    for (index, node) in flat.enumerated() { children[node.parent, default: []].append(index) }

    func nodes(under parent: Int32) -> [TOMLNode] {
      children[parent, default: []].map { index in
        let node = flat[index]
        return TOMLNode(
          key: text(node.key), keyRegion: TOMLRegion(node.key_region),
          valueRegion: TOMLRegion(node.value_region),
          value: value(of: node, children: { nodes(under: Int32(index)) }))
      }
    }
    return sorted(nodes(under: -1))
  }

  private static func value(of node: ctoml_node, children: () -> [TOMLNode]) -> TOMLValue {
    switch node.type {
    case ctoml_type_table: .table(sorted(children()))
    case ctoml_type_array: .array(children())
    case ctoml_type_integer: .integer(node.integer)
    case ctoml_type_float: .float(node.real)
    case ctoml_type_boolean: .boolean(node.integer != 0)
    case ctoml_type_date, ctoml_type_time, ctoml_type_date_time: .moment(text(node.text))
    default: .string(text(node.text))
    }
  }

  /// toml++ keeps tables sorted by key; people read errors from the top of the file.
  private static func sorted(_ nodes: [TOMLNode]) -> [TOMLNode] {
    nodes.sorted { left, right in
      (left.keyRegion.beginLine, left.keyRegion.beginColumn)
        < (right.keyRegion.beginLine, right.keyRegion.beginColumn)
    }
  }

  private static func text(_ text: ctoml_text) -> String {
    let bytes = UnsafeRawBufferPointer(start: text.bytes, count: text.count)
    return String(decoding: bytes, as: UTF8.self)
  }
}
