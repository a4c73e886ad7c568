/// Which rows of a row group are copied.
package struct RowSelection {
  /// One for each row of the row group.
  let isChosen: UnsafeBufferPointer<Bool>
  package let count: Int

  package init(_ isChosen: UnsafeBufferPointer<Bool>) {
    self.isChosen = isChosen
    var count = 0
    for flag in isChosen { count &+= flag ? 1 : 0 }
    self.count = count
  }

  var isEverything: Bool { count == isChosen.count }
}

/// Rows from a file that was read to one that is being written, column by column.
extension ColumnBuffer {
  /// Appends the chosen rows of a column that is not nested, in their order.
  ///
  /// INT96 timestamps become microseconds.
  /// - Throws: `unsupported` when the source holds another type than the buffer; nothing was
  ///   appended then.
  package final func append(
    _ source: ColumnValues, where rows: RowSelection
  ) throws(ParquetError) {
    precondition(
      leaf.maxRepetitionLevel == 0 && leaf.maxDefinitionLevel == 1,
      "rows are copied between columns that are optional and not nested")
    precondition(
      source.entryCount == rows.isChosen.count, "a selection has one flag for each row")
    switch (self, source.values) {
    case (let column as ByteArrayColumn, .byteArray(let values)):
      column.append(values, CopiedRows(source, rows))
    case (let column as Int64Column, .int64(let values)),
      (let column as Int64Column, .timestampFromInt96(let values)):
      CopiedRows(source, rows).copy(values, to: &column.values, &column.levels)
    case (let column as Int32Column, .int32(let values)):
      CopiedRows(source, rows).copy(values, to: &column.values, &column.levels)
    case (let column as DoubleColumn, .double(let values)):
      CopiedRows(source, rows).copy(values, to: &column.values, &column.levels)
    case (let column as FloatColumn, .float(let values)):
      CopiedRows(source, rows).copy(values, to: &column.values, &column.levels)
    case (let column as BooleanColumn, .boolean(let values)):
      CopiedRows(source, rows).copy(values, to: &column.values, &column.levels)
    default:
      throw ParquetError(
        .unsupported, "column \(leaf.name): expected \(leaf.physicalType) values, found others")
    }
  }

  /// Appends rows without a value.
  package final func appendNulls(_ count: Int) {
    for _ in 0..<count { appendNull() }
  }
}

/// What is copied of one column: its levels now, its values one chosen value after the other.
private struct CopiedRows {
  private let source: ColumnValues
  private let rows: RowSelection
  private let hasNulls: Bool

  init(_ source: ColumnValues, _ rows: RowSelection) {
    self.source = source
    self.rows = rows
    hasNulls = source.values.count < source.entryCount
  }

  var count: Int { rows.count }

  /// Calls `body` with the place of each chosen row's value; `levels` get the rows.
  @inline(__always)
  func forEachValue(_ levels: inout LevelBuffer, _ body: (Int) -> Void) {
    guard hasNulls else {
      levels.appendPresent(rows: rows.count)
      if rows.isEverything {
        for row in 0..<rows.count { body(row) }
      } else {
        for row in rows.isChosen.indices where rows.isChosen[row] { body(row) }
      }
      return
    }
    copyLevels(&levels)
    source.definitionLevels.withUnsafeBufferPointer { definitions in
      var value = 0
      for row in rows.isChosen.indices where definitions[row] == source.maxDefinitionLevel {
        if rows.isChosen[row] { body(value) }
        value &+= 1
      }
    }
  }

  private func copyLevels(_ levels: inout LevelBuffer) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: rows.count) { copied in
      source.definitionLevels.withUnsafeBufferPointer { definitions in
        var place = 0
        var present = 0
        for row in rows.isChosen.indices where rows.isChosen[row] {
          let isPresent = definitions[row] == source.maxDefinitionLevel
          copied[place] = isPresent ? levels.maxDefinition : 0
          present &+= isPresent ? 1 : 0
          place &+= 1
        }
        levels.append(flat: UnsafeBufferPointer(copied), present: present)
      }
    }
  }

  func copy<Value: BitwiseCopyable>(
    _ values: [Value], to target: inout ByteBuffer, _ levels: inout LevelBuffer
  ) {
    target.reserve(rows.count * MemoryLayout<Value>.size)
    values.withUnsafeBufferPointer { values in
      if !hasNulls, rows.isEverything {
        levels.appendPresent(rows: rows.count)
        target.append(bytes: UnsafeRawBufferPointer(values))
        return
      }
      let base = target.base + target.count
      var end = base
      forEachValue(&levels) { place in
        end.storeBytes(of: values[place], as: Value.self)
        end += MemoryLayout<Value>.size
      }
      target.count += end - base
    }
  }
}

extension ByteArrayColumn {
  /// A number that no string of a dictionary has: its page would pass 4 GiB.
  private static var unknown: UInt32 { .max }

  fileprivate func append(_ values: ByteArrayValues, _ rows: CopiedRows) {
    values.withStored { stored in
      if isDictionaryFull || stored.count == stored.indices.count {
        rows.forEachValue(&levels) { store(stored[Int(stored.indices[$0])], startsRow: true) }
      } else {
        appendShared(stored, rows)
      }
    }
  }

  /// Each string of the source's dictionary is looked up in ours once.
  private func appendShared(_ stored: ByteArrayValues.Stored, _ rows: CopiedRows) {
    let numbers = UnsafeMutablePointer<UInt32>.allocate(capacity: stored.count)
    numbers.initialize(repeating: Self.unknown, count: stored.count)
    defer { numbers.deallocate() }
    indices.reserve(rows.count * MemoryLayout<UInt32>.size)
    rows.forEachValue(&levels) { place in
      let source = Int(stored.indices[place])
      let number = numbers[source]
      if number != Self.unknown, !isDictionaryFull {
        indices.append(number)
      } else {
        numbers[source] = storeNumbered(stored[source])
      }
    }
  }

  /// Stores a value and gives its number in the dictionary.
  private func storeNumbered(_ value: UnsafeRawBufferPointer) -> UInt32 {
    let count = indices.count
    store(value, startsRow: true)
    guard indices.count > count else { return Self.unknown }
    return indices.values(of: UInt32.self).last ?? Self.unknown
  }
}
