/// One leaf's values of one row group, appended row by row.
///
/// The subclasses know the type. Memory is kept from one row group to the next: `reset()` forgets
/// the rows, not the capacity. Not for several threads at once.
public class ColumnBuffer {
  public final let leaf: LeafColumn
  // Appending is not checked for exclusive access, here and in the subclasses: the checks cost as
  // much as the work, and a column serves one thread.
  @exclusivity(unchecked) final var levels: LevelBuffer

  init(_ leaf: LeafColumn, holding type: PhysicalType) {
    precondition(
      leaf.physicalType == type, "\(leaf.name) holds \(leaf.physicalType), not \(type) values")
    self.leaf = leaf
    levels = LevelBuffer(leaf: leaf)
  }

  /// Complete rows so far.
  public final var rowCount: Int { levels.rowCount }

  /// Values so far, nulls not counted.
  public final var valueCount: Int { levels.presentCount }

  /// Bytes that the appended rows occupy; what to look at when deciding to write a row group.
  public final var byteCount: Int { levels.byteCount + valueByteCount }

  /// A row in which the leaf's outermost field is null, or its outermost list or map is.
  public final func appendNull() {
    precondition(leaf.maxDefinitionLevel > 0, "\(leaf.name) is required and holds no nulls")
    levels.appendAbsent()
  }

  /// An entry of a nested column that has no value: `definition` says which ancestor is the last
  /// one present and is below the leaf's maximum, `repetition` which list goes on (0: a new row).
  public final func appendLevels(definition: UInt8, repetition: UInt8) {
    precondition(definition < leaf.maxDefinitionLevel, "this definition level needs a value")
    levels.append(definition: definition, repetition: repetition)
  }

  /// Forgets all rows and keeps the memory.
  public final func reset() {
    levels.reset()
    resetValues()
  }

  // What follows is the subclasses' part. Swift has no abstract methods.

  var valueByteCount: Int { preconditionFailure("a subclass counts its bytes") }

  func resetValues() { preconditionFailure("a subclass forgets its values") }

  /// Bounds of the values, nil where they have none.
  func bounds() -> ValueBounds? { preconditionFailure("a subclass knows its bounds") }

  /// Hands the pages of the rows over.
  func encode(into chunk: ChunkWriter) throws { preconditionFailure("a subclass encodes") }
}
