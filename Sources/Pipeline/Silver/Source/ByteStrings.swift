/// Byte strings one after the other in memory of their own.
final class ByteStrings {
  private let bytes: UnsafeMutableRawBufferPointer
  /// Where each string starts, and where the last one ends.
  private var starts: [Int] = [0]

  /// - Parameter byteCount: of all strings that will be appended.
  init(byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: 1)
  }

  deinit { bytes.deallocate() }

  var count: Int { starts.count - 1 }

  /// Valid as long as the object.
  subscript(index: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[starts[index]..<starts[index + 1]])
  }

  func append(_ value: UnsafeRawBufferPointer) {
    let start = starts[count]
    let end = start + value.count
    UnsafeMutableRawBufferPointer(rebasing: bytes[start..<end]).copyMemory(from: value)
    starts.append(end)
  }
}
