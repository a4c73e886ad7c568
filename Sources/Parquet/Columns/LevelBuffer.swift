/// The definition and repetition levels of one column of one row group.
///
/// A flat column without nulls costs a counter: its levels are all the same and are spelled out
/// only from the first null on.
struct LevelBuffer: ~Copyable {
  let maxDefinition: UInt8
  let maxRepetition: UInt8
  var count = 0
  var absentCount = 0
  var rowCount = 0
  /// Whether `definition` holds one byte per level.
  var isExplicit: Bool
  var definition = ByteBuffer()
  /// One byte per level, empty when `maxRepetition` is 0.
  var repetition = ByteBuffer()

  init(leaf: LeafColumn) {
    maxDefinition = leaf.maxDefinitionLevel
    maxRepetition = leaf.maxRepetitionLevel
    isExplicit = leaf.maxRepetitionLevel > 0
  }

  /// A value that starts a row.
  mutating func appendPresent() {
    count &+= 1
    rowCount &+= 1
    if isExplicit { appendExplicit(maxDefinition, 0) }
  }

  /// A row whose outermost field is null.
  mutating func appendAbsent() {
    if !isExplicit { spellOut() }
    count &+= 1
    rowCount &+= 1
    absentCount &+= 1
    appendExplicit(0, 0)
  }

  /// Rows of a column that is not nested and that all have a value.
  mutating func appendPresent(rows: Int) {
    count += rows
    rowCount += rows
    if isExplicit { definition.append(repeating: maxDefinition, count: rows) }
  }

  /// Rows of a column that is not nested, given as many definition levels, of which `present` are
  /// `maxDefinition` and the others 0.
  mutating func append(flat levels: UnsafeBufferPointer<UInt8>, present: Int) {
    if present == levels.count { return appendPresent(rows: present) }
    if !isExplicit { spellOut() }
    count += levels.count
    rowCount += levels.count
    absentCount += levels.count - present
    definition.append(bytes: UnsafeRawBufferPointer(levels))
  }

  private mutating func appendExplicit(_ definitionLevel: UInt8, _ repetitionLevel: UInt8) {
    definition.append(definitionLevel)
    if maxRepetition > 0 { repetition.append(repetitionLevel) }
  }

  /// Any level, with or without a value.
  mutating func append(definition level: UInt8, repetition repetitionLevel: UInt8) {
    precondition(level <= maxDefinition, "a definition level above the column's maximum")
    precondition(repetitionLevel <= maxRepetition, "a repetition level above the column's maximum")
    precondition(
      repetitionLevel == 0 || rowCount > 0, "the first level of a row group starts a row")
    if level < maxDefinition {
      absentCount += 1
      if !isExplicit { spellOut() }
    }
    count += 1
    if repetitionLevel == 0 { rowCount += 1 }
    if isExplicit { appendExplicit(level, repetitionLevel) }
  }

  private mutating func spellOut() {
    definition.append(repeating: maxDefinition, count: count)
    isExplicit = true
  }

  mutating func reset() {
    count = 0
    absentCount = 0
    rowCount = 0
    isExplicit = maxRepetition > 0
    definition.removeAll()
    repetition.removeAll()
  }

  var presentCount: Int { count - absentCount }
  var byteCount: Int { definition.count + repetition.count }
}

/// The levels and values of one data page.
struct PageSlice {
  var levels: Range<Int>
  var values: Range<Int>
}

extension LevelBuffer {
  /// The page that starts with level `level` and value `value` and has no value from `valueLimit`
  /// on; a row is never split, so a page may pass the limit by the rest of its only row.
  func slice(fromLevel level: Int, value: Int, valueLimit: Int) -> PageSlice {
    guard isExplicit else {
      let end = level + (valueLimit - value)
      return PageSlice(levels: level..<end, values: value..<valueLimit)
    }
    if valueLimit >= presentCount {
      return PageSlice(levels: level..<count, values: value..<presentCount)
    }
    let definitions = definition.values(of: UInt8.self)
    let repetitions = repetition.values(of: UInt8.self)
    var present = value
    var rowStart = (level: level, value: value)
    for index in level..<count {
      if maxRepetition == 0 || repetitions[index] == 0 { rowStart = (index, present) }
      guard definitions[index] == maxDefinition else { continue }
      if present >= valueLimit, rowStart.level > level {
        return PageSlice(levels: level..<rowStart.level, values: value..<rowStart.value)
      }
      present += 1
    }
    return PageSlice(levels: level..<count, values: value..<present)
  }

  /// Appends the level blocks of a v1 data page (Encodings.md, "RLE/bit-packing hybrid"): 4 bytes
  /// of length each; a block whose maximum level is 0 is absent.
  func encode(_ range: Range<Int>, into page: inout ByteBuffer) {
    if maxRepetition > 0 {
      Self.block(of: repetition.values(of: UInt8.self), range, max: maxRepetition, into: &page)
    }
    guard maxDefinition > 0 else { return }
    if isExplicit {
      Self.block(of: definition.values(of: UInt8.self), range, max: maxDefinition, into: &page)
    } else {
      let (level, count) = (UInt64(maxDefinition), range.count)
      Self.lengthPrefixed(&page) { page in
        HybridEncoder.run(of: level, count: count, byteWidth: 1, into: &page)
      }
    }
  }

  private static func block(
    of levels: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, max: UInt8,
    into page: inout ByteBuffer
  ) {
    lengthPrefixed(&page) { page in
      HybridEncoder.encode(
        UnsafeBufferPointer(rebasing: levels[range]), bitWidth: max.significantBits, into: &page)
    }
  }

  private static func lengthPrefixed(
    _ page: inout ByteBuffer, _ body: (inout ByteBuffer) -> Void
  ) {
    let start = page.count
    page.append(UInt32(0))
    body(&page)
    let length = UInt32(page.count - start - MemoryLayout<UInt32>.size)
    (page.base + start).storeBytes(of: length, as: UInt32.self)
  }
}
