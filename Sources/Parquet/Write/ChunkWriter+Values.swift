extension ChunkWriter {
  func plain<Value: BitwiseCopyable>(
    _ values: UnsafeBufferPointer<Value>, of levels: borrowing LevelBuffer
  ) throws {
    try dataPages(of: levels, through: values.count, .plain) { first in
      pageEnd(first, of: values)
    } fill: { range, page in
      page.append(bytes: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: values[range])))
    }
  }

  func integers<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: UnsafeBufferPointer<Value>, of levels: borrowing LevelBuffer,
    _ encoding: IntegerEncoding,
    _ dictionary: IntegerDictionary<Value>
  ) throws {
    if encoding == .plain {
      try plain(values, of: levels)
    } else if encoding == .dictionary, !values.isEmpty, dictionary.build(values) {
      try dictionaryPage(entryCount: dictionary.count, dictionary.entries.bytes)
      try indexPages(
        of: levels, dictionary.indices.values(of: UInt32.self), entryCount: dictionary.count)
    } else {
      try dataPages(of: levels, through: values.count, .deltaBinaryPacked) { first in
        pageEnd(first, of: values)
      } fill: { range, page in
        DeltaEncoder.encode(UnsafeBufferPointer(rebasing: values[range]), into: &page)
      }
    }
  }

  /// Data pages of numbers in the dictionary (Encodings.md, "Dictionary Encoding").
  func indexPages(
    of levels: borrowing LevelBuffer, _ indices: UnsafeBufferPointer<UInt32>, entryCount: Int
  ) throws {
    let bitWidth = UInt32(entryCount - 1).significantBits
    let perPage = max(1, pageByteLimit * 8 / max(1, bitWidth))
    try dataPages(of: levels, through: indices.count, .rleDictionary) { first in
      min(indices.count, first + perPage)
    } fill: { range, page in
      page.append(UInt8(bitWidth))
      HybridEncoder.encode(
        UnsafeBufferPointer(rebasing: indices[range]), bitWidth: bitWidth, into: &page)
    }
  }

  private func pageEnd<Value>(_ first: Int, of values: UnsafeBufferPointer<Value>) -> Int {
    min(values.count, first + max(1, pageByteLimit / MemoryLayout<Value>.size))
  }
}
