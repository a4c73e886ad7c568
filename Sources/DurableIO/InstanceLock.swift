internal import Glibc

/// The lock of the one process that may write below a state directory.
///
/// It is flock(2) on a file that is never removed; the kernel drops it when the process ends,
/// however it ends. The file holds the process id, for people and for the error of a second one.
package final class InstanceLock {
  package let path: String
  private let descriptor: Int32
  private let device: UInt64
  private let inode: UInt64

  /// Why the lock was not had.
  package enum Failure: Error, Equatable, CustomStringConvertible {
    case held(byPID: Int32?, path: String)
    case system(SystemError)

    package var description: String {
      switch self {
      case .held(let pid, let path):
        "another shopmetricsd \(pid.map { "(pid \($0)) " } ?? "")holds \(path)"
      case .system(let error): error.description
      }
    }
  }

  private init(path: String, descriptor: Int32, device: UInt64, inode: UInt64) {
    self.path = path
    self.descriptor = descriptor
    self.device = device
    self.inode = inode
  }

  deinit { _ = close(descriptor) }

  /// Takes the lock within a tenth of a second or not at all.
  ///
  /// It is tried more than once because `holder(path:)` has it for an instant, too. That is asked
  /// first because it only reads: opening for writing waits for ever on a frozen file system, in
  /// which the holder may hang as well.
  package static func acquire(path: String) throws(Failure) -> InstanceLock {
    if let holder = holder(path: path) { throw .held(byPID: holder, path: path) }
    let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o640)
    guard descriptor >= 0 else { throw .system(SystemError(call: "open", path: path)) }
    var attempts = 0
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      attempts += 1
      if errno == EINTR { continue }
      if errno == EWOULDBLOCK, attempts < 5 {
        usleep(20_000)
        continue
      }
      let error = SystemError(call: "flock", path: path)
      let holder = error.errno == EWOULDBLOCK ? readHolder(descriptor) : nil
      _ = close(descriptor)
      if error.errno == EWOULDBLOCK { throw .held(byPID: holder, path: path) }
      throw .system(error)
    }
    let status = Result { () throws(SystemError) in
      let lock = try identify(descriptor, path: path)
      try lock.recordHolder()
      try lock.check()
      return lock
    }
    return try status.mapError(Failure.system).get()
  }

  /// Throws unless the file at `path` is still the one that is locked.
  ///
  /// Somebody who removes or replaces the file lets a second process in; the first one must notice
  /// before it publishes anything.
  package func check() throws(SystemError) {
    var now = stat()
    guard stat(path, &now) == 0 else {
      if errno == ENOENT { throw SystemError.lockLost(path) }
      throw SystemError(call: "stat", path: path)
    }
    guard UInt64(now.st_dev) == device, UInt64(now.st_ino) == inode else {
      throw SystemError.lockLost(path)
    }
  }

  /// The process that holds the lock at `path`, without taking it; `nil` when none does.
  package static func holder(path: String) -> Int32? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
    return readHolder(descriptor)
  }

  private static func identify(
    _ descriptor: Int32, path: String
  ) throws(SystemError) -> InstanceLock {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = SystemError(call: "fstat", path: path)
      _ = close(descriptor)
      throw error
    }
    return InstanceLock(
      path: path, descriptor: descriptor, device: UInt64(status.st_dev),
      inode: UInt64(status.st_ino))
  }

  private func recordHolder() throws(SystemError) {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw SystemError(call: "ftruncate", path: path)
    }
    try Descriptor.write(descriptor, Array("\(getpid())\n".utf8), path: path)
  }

  private static func readHolder(_ descriptor: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 32)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    let digits = buffer[..<count].prefix { (48...57).contains($0) }
    return Int32(String(decoding: digits, as: UTF8.self))
  }
}
