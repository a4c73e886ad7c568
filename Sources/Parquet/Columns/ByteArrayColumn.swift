/// How a column of byte strings is stored.
public enum ByteArrayEncoding: Equatable, Sendable {
  /// Each distinct string once, in a dictionary page of at most `byteLimit` bytes; once the
  /// dictionary is full, the rest of the row group is stored as `plain`.
  case dictionary(byteLimit: Int)
  /// DELTA_LENGTH_BYTE_ARRAY, for strings that hardly repeat.
  ///
  /// Spark before 3.5.6 and Spark 4.0.0 misread it, without an error, in columns with nulls and in
  /// pages of more than 4,096 values (SPARK-52240).
  case deltaLength
  case plain

  /// Large enough for the sessions of a row group; pyarrow gives up at 1 MiB and pays for it.
  public static let dictionary = ByteArrayEncoding.dictionary(byteLimit: 4 << 20)
}

/// Strings and binary values.
public final class ByteArrayColumn: ColumnBuffer {
  @exclusivity(unchecked) var dictionary: ByteDictionary
  private let directEncoding: Encoding
  /// The numbers of the first values in the dictionary.
  @exclusivity(unchecked) var indices = ByteBuffer()
  /// The values behind those: lengths and bytes, kept apart.
  @exclusivity(unchecked) var lengths = ByteBuffer()
  @exclusivity(unchecked) var bytes = ByteBuffer()
  /// From the start, for a column without a dictionary.
  @exclusivity(unchecked) var isDictionaryFull: Bool
  private let hasDictionary: Bool

  public init(_ leaf: LeafColumn, encoding: ByteArrayEncoding = .dictionary) {
    switch encoding {
    case .dictionary(let byteLimit):
      dictionary = ByteDictionary(byteLimit: byteLimit)
      hasDictionary = true
    case .deltaLength, .plain:
      dictionary = ByteDictionary(byteLimit: 0)
      hasDictionary = false
    }
    isDictionaryFull = !hasDictionary
    directEncoding = encoding == .deltaLength ? .deltaLengthByteArray : .plain
    super.init(leaf, holding: .byteArray)
  }

  /// A row of a column that is not nested.
  ///
  /// At most 2 GiB.
  public func append(_ value: UnsafeRawBufferPointer) {
    levels.appendPresent()
    store(value, startsRow: true)
  }

  public func append(_ value: String) {
    var value = value
    value.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// An entry of a nested column; `definition` is the leaf's maximum.
  public func append(_ value: UnsafeRawBufferPointer, definition: UInt8, repetition: UInt8) {
    precondition(definition == leaf.maxDefinitionLevel, "a value has the highest level")
    levels.append(definition: definition, repetition: repetition)
    store(value, startsRow: repetition == 0)
  }

  public func append(_ value: String, definition: UInt8, repetition: UInt8) {
    var value = value
    value.withUTF8 {
      append(UnsafeRawBufferPointer($0), definition: definition, repetition: repetition)
    }
  }

  func store(_ value: UnsafeRawBufferPointer, startsRow: Bool) {
    if !isDictionaryFull {
      // A page ends with a row, so a row's values are all in the dictionary or all behind it.
      if let index = dictionary.index(of: value, unlimited: !startsRow) {
        indices.append(index)
        return
      }
      isDictionaryFull = true
    }
    precondition(value.count <= Int(Int32.max), "Parquet expresses no value above 2 GiB")
    lengths.append(Int32(truncatingIfNeeded: value.count))
    bytes.append(bytes: value)
  }

  override func resetValues() {
    dictionary.reset()
    isDictionaryFull = !hasDictionary
    indices.removeAll()
    lengths.removeAll()
    bytes.removeAll()
  }

  override var valueByteCount: Int {
    indices.count + lengths.count + bytes.count + dictionary.byteCount
  }

  override func bounds() -> ValueBounds? {
    var bounds = ByteBounds()
    dictionary.forEach { bounds.include($0) }
    var start = UnsafeRawPointer(bytes.base)
    for length in lengths.values(of: Int32.self) {
      bounds.include(UnsafeRawBufferPointer(start: start, count: Int(length)))
      start += Int(length)
    }
    return bounds.values
  }

  override func encode(into chunk: ChunkWriter) throws {
    if dictionary.count > 0 {
      try chunk.dictionaryPage(entryCount: dictionary.count, dictionary.arena.bytes)
      try chunk.indexPages(
        of: levels, indices.values(of: UInt32.self), entryCount: dictionary.count)
    }
    try encodeDirect(into: chunk)
  }

  /// The pages of the values that no dictionary holds.
  private func encodeDirect(into chunk: ChunkWriter) throws {
    let lengths = lengths.values(of: Int32.self)
    let indexed = levels.presentCount - lengths.count
    // Pages come in order, so the bytes of each begin where those of the one before ended.
    var start = UnsafeRawPointer(bytes.base)
    try chunk.dataPages(of: levels, through: levels.presentCount, directEncoding) { first in
      indexed + Self.pageEnd(lengths, from: first - indexed, byteLimit: chunk.pageByteLimit)
    } fill: { range, page in
      let part = lengths[range.lowerBound - indexed..<range.upperBound - indexed]
      if directEncoding == .plain {
        start = Self.plain(UnsafeBufferPointer(rebasing: part), start, into: &page)
      } else {
        start = Self.deltaLength(UnsafeBufferPointer(rebasing: part), start, into: &page)
      }
    }
  }
}

/// The pages of byte strings that no dictionary holds.
extension ByteArrayColumn {
  private static func pageEnd(
    _ lengths: UnsafeBufferPointer<Int32>, from first: Int, byteLimit: Int
  ) -> Int {
    var size = 0
    var index = first
    while index < lengths.count {
      size += 4 + Int(lengths[index])
      if size > byteLimit, index > first { break }
      index += 1
    }
    return index
  }

  private static func plain(
    _ lengths: UnsafeBufferPointer<Int32>, _ start: UnsafeRawPointer, into page: inout ByteBuffer
  ) -> UnsafeRawPointer {
    var next = start
    for length in lengths {
      page.append(length)
      page.append(bytes: UnsafeRawBufferPointer(start: next, count: Int(length)))
      next += Int(length)
    }
    return next
  }

  /// Encodings.md, "Delta-length byte array": all lengths, then all bytes.
  private static func deltaLength(
    _ lengths: UnsafeBufferPointer<Int32>, _ start: UnsafeRawPointer, into page: inout ByteBuffer
  ) -> UnsafeRawPointer {
    DeltaEncoder.encode(lengths, into: &page)
    var size = 0
    for length in lengths { size += Int(length) }
    page.append(bytes: UnsafeRawBufferPointer(start: start, count: size))
    return start + size
  }
}
