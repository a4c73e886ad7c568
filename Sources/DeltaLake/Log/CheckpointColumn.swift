import Parquet

/// One leaf of a checkpoint, read row by row.
///
/// Leaves of different writers differ in which levels are optional, so a value counts as present
/// when its definition level is the highest one, and nothing else is concluded from levels.
struct CheckpointColumn {
  private let name: String
  private let values: ColumnValues
  private let present: UInt8
  private let isRepeated: Bool
  private let valueCount: Int
  private var level = 0
  private var value = 0

  init(_ values: ColumnValues, of leaf: LeafColumn) {
    name = leaf.path.joined(separator: ".")
    self.values = values
    present = leaf.maxDefinitionLevel
    isRepeated = leaf.maxRepetitionLevel > 0
    valueCount = Self.count(values.values)
  }

  private static func count(_ values: ColumnValues.Storage) -> Int {
    switch values {
    case .boolean(let values): values.count
    case .int32(let values): values.count
    case .int64(let values): values.count
    case .byteArray(let values): values.count
    // No field of a checkpoint is of another type: reading one is a fault by type.
    case .timestampFromInt96, .float, .double, .fixed: 0
    }
  }

  /// The value of the next row of a leaf that is not repeated, as an index into the values.
  private mutating func nextIndex() throws(CheckpointFault) -> Int? {
    guard !isRepeated else { throw CheckpointFault("\(name) is repeated") }
    guard level < values.entryCount else { throw CheckpointFault("\(name) has too few rows") }
    defer { level += 1 }
    return try indexIfPresent(at: level)
  }

  private mutating func indexIfPresent(at level: Int) throws(CheckpointFault) -> Int? {
    guard present == 0 || values.definitionLevels[level] == present else { return nil }
    guard value < valueCount else {
      throw CheckpointFault("\(name) has too few values")
    }
    defer { value += 1 }
    return value
  }

  mutating func nextString() throws(CheckpointFault) -> String? {
    guard let index = try nextIndex() else { return nil }
    return try string(at: index)
  }

  mutating func nextInteger() throws(CheckpointFault) -> Int64? {
    guard let index = try nextIndex() else { return nil }
    switch values.values {
    case .int64(let numbers): return numbers[index]
    case .int32(let numbers): return Int64(numbers[index])
    default: throw CheckpointFault("\(name): expected integers")
    }
  }

  mutating func nextBool() throws(CheckpointFault) -> Bool? {
    guard let index = try nextIndex() else { return nil }
    guard case .boolean(let flags) = values.values else {
      throw CheckpointFault("\(name): expected booleans")
    }
    return flags[index]
  }

  /// The entries of the next row of a leaf inside a list or a map, null entries included.
  ///
  /// - Parameter entry: the definition level from which on there is an entry at all.
  mutating func nextStrings(entriesFrom entry: UInt8) throws(CheckpointFault) -> [String?] {
    guard isRepeated, values.repetitionLevels.count == values.entryCount else {
      throw CheckpointFault("\(name) is not repeated")
    }
    guard level < values.entryCount else { throw CheckpointFault("\(name) has too few rows") }
    var strings: [String?] = []
    repeat {
      if let index = try indexIfPresent(at: level) {
        strings.append(try string(at: index))
      } else if values.definitionLevels[level] >= entry {
        strings.append(nil)
      }
      level += 1
    } while level < values.entryCount && values.repetitionLevels[level] > 0
    return strings
  }

  private func string(at index: Int) throws(CheckpointFault) -> String {
    guard case .byteArray(let strings) = values.values else {
      throw CheckpointFault("\(name): expected strings")
    }
    return strings.string(index)
  }
}

/// Why a checkpoint cannot be used; the reader adds the file.
struct CheckpointFault: Error {
  let message: String

  init(_ message: String) {
    self.message = message
  }
}
