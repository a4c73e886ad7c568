internal import Glibc

/// What stat(2) says of a file.
package struct FileStatus: Equatable, Sendable {
  /// Bytes.
  package var size: Int64
  /// Last modification, milliseconds since 1970.
  package var mtimeMilliseconds: Int64
  package var isDirectory: Bool
  package var inode: UInt64
}

/// Reading, listing and removing files, each failure with its path.
package enum Files {
  /// The whole file.
  /// - Parameter limit: bytes; a longer file is refused with `EFBIG`.
  package static func read(_ path: String, limit: Int = 1 << 30) throws(SystemError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(call: "open", path: path) }
    defer { _ = close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError(call: "fstat", path: path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw SystemError(errno: EISDIR, call: "read", path: path)
    }
    guard status.st_size <= limit else {
      throw SystemError(errno: EFBIG, call: "read", path: path)
    }
    return try readAll(descriptor, expected: Int(status.st_size), limit: limit, path: path)
  }

  /// The whole file, or `nil` when there is none.
  package static func readIfPresent(_ path: String) throws(SystemError) -> [UInt8]? {
    do {
      return try read(path)
    } catch {
      if error.errno == ENOENT { return nil }
      throw error
    }
  }

  /// Names in a directory, sorted, without `.` and `..`.
  package static func list(_ directory: String) throws(SystemError) -> [String] {
    guard let handle = opendir(directory) else {
      throw SystemError(call: "opendir", path: directory)
    }
    defer { closedir(handle) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(handle) else {
        // A list cut short by an error must never look like a fresh start.
        if errno != 0 { throw SystemError(call: "readdir", path: directory) }
        return names.sorted()
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
  }

  package static func exists(_ path: String) throws(SystemError) -> Bool {
    try status(path) != nil
  }

  /// What stat(2) says, or `nil` when there is no such file.
  package static func status(_ path: String) throws(SystemError) -> FileStatus? {
    var found = stat()
    guard stat(path, &found) == 0 else {
      if errno == ENOENT { return nil }
      throw SystemError(call: "stat", path: path)
    }
    return FileStatus(
      size: Int64(found.st_size), mtimeMilliseconds: milliseconds(found.st_mtim),
      isDirectory: found.st_mode & S_IFMT == S_IFDIR, inode: UInt64(found.st_ino))
  }

  /// File systems hold times that do not fit into milliseconds; those count as the year ±9999.
  private static func milliseconds(_ time: timespec) -> Int64 {
    let limit = 253_402_300_799
    return Int64(max(-limit, min(time.tv_sec, limit))) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  /// Creates a directory and its parents (mode 0750), each made durable in its parent.
  ///
  /// - Throws: `ENOTDIR` when something else has the name.
  package static func makeDirectories(_ path: String) throws(SystemError) {
    var missing: [String] = []
    var current = path
    var found = try status(current)
    while found == nil {
      missing.append(current)
      guard let slash = current.lastIndex(of: "/"), slash != current.startIndex else { break }
      current = String(current[..<slash])
      found = try status(current)
    }
    if let found, !found.isDirectory {
      throw SystemError(errno: ENOTDIR, call: "mkdir", path: current)
    }
    for directory in missing.reversed() {
      if mkdir(directory, 0o750) != 0 {
        let error = SystemError(call: "mkdir", path: directory)
        guard error.errno == EEXIST, try status(directory)?.isDirectory == true else {
          throw error
        }
      }
      try Descriptor.syncDirectory(parent(of: directory))
    }
  }

  /// The directory that holds the name; the working directory for a name without a slash.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Removes a file; none there is fine.
  package static func remove(_ path: String) throws(SystemError) {
    if unlink(path) != 0, errno != ENOENT { throw SystemError(call: "unlink", path: path) }
  }

  /// Where Hadoop keeps the checksum of `path`: `.<name>.crc` beside it.
  package static func sidecarPath(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return ".\(path).crc" }
    return "\(path[...slash]).\(path[path.index(after: slash)...]).crc"
  }

  private static func readAll(
    _ descriptor: Int32, expected: Int, limit: Int, path: String
  ) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: expected + 1)
    var count = 0
    while true {
      let result = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
      }
      if result < 0 {
        if errno == EINTR { continue }
        throw SystemError(call: "read", path: path)
      }
      if result == 0 { break }
      count += result
      guard count <= limit else { throw SystemError(errno: EFBIG, call: "read", path: path) }
      if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: count)) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }
}
