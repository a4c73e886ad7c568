internal import CLinux
internal import Glibc

/// The bytes of a file, on disk or in memory, read range by range.
final class ByteSource {
  private enum Storage {
    case memory([UInt8])
    case descriptor(Int32)
  }

  let name: String
  let size: Int
  private let storage: Storage

  init(bytes: [UInt8], name: String) {
    self.name = name
    size = bytes.count
    storage = .memory(bytes)
  }

  /// Throws `unreadable` when the file cannot be opened or is not a regular one.
  init(path: String) throws(ParquetError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.systemError("open", path) }
    var status = stat()
    let found = fstat(descriptor, &status)
    guard found == 0, status.st_mode & S_IFMT == S_IFREG else {
      defer { close(descriptor) }
      guard found == 0 else { throw Self.systemError("fstat", path) }
      throw ParquetError(.unreadable, "this is not a regular file", path: path)
    }
    name = path
    size = Int(status.st_size)
    storage = .descriptor(descriptor)
  }

  deinit {
    if case .descriptor(let descriptor) = storage { close(descriptor) }
  }

  /// A copy of `count` bytes from `offset`.
  ///
  /// Throws `truncated` when the range is not within the file, before memory is taken.
  func read(_ offset: Int, _ count: Int, _ what: String) throws(ParquetError) -> ByteBlock {
    guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
      throw ParquetError(
        .truncated, "\(what) is said to be \(count) bytes at \(offset) of a file of \(size)",
        byteOffset: max(0, min(offset, size)), path: name)
    }
    let block = ByteBlock(count: count)
    switch storage {
    case .memory(let bytes):
      bytes[offset..<offset + count].withUnsafeBytes { block.bytes.copyMemory(from: $0) }
    case .descriptor(let descriptor):
      var done = 0
      while done < count {
        let rest = UnsafeMutableRawBufferPointer(rebasing: block.bytes[done...])
        let step = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
        if step < 0 && errno == EINTR { continue }
        guard step >= 0 else { throw Self.systemError("pread", name) }
        guard step > 0 else {
          throw ParquetError(
            .truncated, "the file became shorter while it was read", byteOffset: offset + done,
            path: name)
        }
        done += step
      }
    }
    return block
  }

  private static func systemError(_ call: String, _ path: String) -> ParquetError {
    let number = errno
    let name = String(cString: clinux_error_name(number))
    var error = ParquetError(
      .unreadable, "\(call): \(String(cString: strerror(number))) (\(name))", path: path)
    error.systemError = number
    return error
  }
}
