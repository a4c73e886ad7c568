import Foundation

@testable import Parquet

/// What other people's readers must find in one file.
struct Expectation: Encodable {
  struct Column: Encodable {
    let name: String
    /// The values in the form of `Sample.text`; nested ones as lists, maps as lists of pairs.
    let values: [Tree]
    /// Encodings that the footer must name for this column, in the first row group.
    var encodings: [String] = []
  }

  let file: String
  let columns: [Column]
}

/// A value as it is compared.
enum Tree: Encodable {
  case null
  case leaf(Sample)
  case list([Tree])
  case group([(name: String, value: Tree)])

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .leaf(let sample):
      var container = encoder.singleValueContainer()
      try container.encode(sample.text)
    case .list(let items):
      var container = encoder.unkeyedContainer()
      for item in items { try container.encode(item) }
    case .group(let fields):
      var container = encoder.container(keyedBy: Name.self)
      for field in fields {
        try container.encode(field.value, forKey: Name(stringValue: field.name))
      }
    }
  }
}

/// Lets the Python readers look at a folder of files, and keeps what they say of each.
struct Verdicts {
  /// Complaints by file; a file that is missing here was not read.
  private let complaints: [String: [String]]

  init(of expectations: [Expectation], in folder: URL) throws {
    let list = folder.appending(path: "expected.json")
    try JSONEncoder().encode(expectations).write(to: list)
    let printed = try Python.run("check_parquet.py", [folder.path])
    complaints = try JSONDecoder().decode([String: [String]].self, from: printed)
  }

  subscript(file: String) -> [String] {
    complaints[file] ?? ["\(file) was not read at all"]
  }
}
