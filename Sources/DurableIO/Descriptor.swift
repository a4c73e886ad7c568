internal import Glibc

/// The few descriptor calls that every durable file needs, with `EINTR` and short writes handled.
enum Descriptor {
  /// Creates `path` for writing; fails when it exists, and never follows a link.
  static func create(_ path: String) throws(SystemError) -> Int32 {
    while true {
      let flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC
      let descriptor = open(path, flags, 0o640)
      if descriptor >= 0 { return descriptor }
      if errno != EINTR { throw SystemError(call: "open", path: path) }
    }
  }

  static func write(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, path: String
  ) throws(SystemError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemError(call: "write", path: path, byteCount: rest.count)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  static func write(
    _ descriptor: Int32, _ bytes: [UInt8], path: String
  ) throws(SystemError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) in
      try write(descriptor, UnsafeRawBufferPointer(buffer), path: path)
    }
  }

  /// A failed sync is never repeated: the kernel may have dropped the pages it could not write.
  static func sync(_ descriptor: Int32, path: String) throws(SystemError) {
    while fsync(descriptor) != 0 {
      if errno != EINTR { throw SystemError(call: "fsync", path: path, outcome: .unknown) }
    }
  }

  static func close(_ descriptor: Int32, path: String) throws(SystemError) {
    if Glibc.close(descriptor) != 0, errno != EINTR {
      throw SystemError(call: "close", path: path)
    }
  }

  static func syncDirectory(_ path: String) throws(SystemError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(call: "open", path: path) }
    defer { _ = Glibc.close(descriptor) }
    try sync(descriptor, path: path)
  }
}
