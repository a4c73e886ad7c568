internal import Glibc

/// A system call that failed: which one, on which path, and why.
package struct SystemError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The call's `errno`.
  package let errno: Int32
  /// Name of the call, such as `fsync`.
  package let call: String
  package let path: String
  /// Whether it is unknown what a power cut would leave: a sync failed, or a name was published
  /// and could not be made durable.
  ///
  /// Nothing may be retried then; only a restart reads the truth.
  package let outcomeUnknown: Bool

  package init(errno: Int32, call: String, path: String, outcomeUnknown: Bool = false) {
    self.errno = errno
    self.call = call
    self.path = path
    self.outcomeUnknown = outcomeUnknown
  }

  /// The error of a call that has just returned -1.
  init(call: String, path: String, outcomeUnknown: Bool = false) {
    self.init(errno: Glibc.errno, call: call, path: path, outcomeUnknown: outcomeUnknown)
  }

  /// The symbolic name of `errno`, such as `ENOSPC`.
  package var errnoName: String {
    let names: [Int32: String] = [
      EACCES: "EACCES", EAGAIN: "EAGAIN", EBADF: "EBADF", EBUSY: "EBUSY", EDQUOT: "EDQUOT",
      EEXIST: "EEXIST", EFBIG: "EFBIG", EINTR: "EINTR", EINVAL: "EINVAL", EIO: "EIO",
      EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", EMLINK: "EMLINK",
      ENAMETOOLONG: "ENAMETOOLONG", ENFILE: "ENFILE", ENOENT: "ENOENT", ENOLCK: "ENOLCK",
      ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOTDIR: "ENOTDIR", ENOTEMPTY: "ENOTEMPTY",
      EPERM: "EPERM", EROFS: "EROFS", ESTALE: "ESTALE", ETXTBSY: "ETXTBSY", EXDEV: "EXDEV",
    ]
    return names[errno] ?? "errno \(errno)"
  }

  package var description: String {
    "\(call) \(path): \(String(cString: strerror(errno))) (\(errnoName))"
  }
}

/// A file whose bytes are not what they must be.
package struct CorruptFileError: Error, Equatable, CustomStringConvertible, Sendable {
  package let path: String
  /// Position of the first wrong byte or chunk, when known.
  package let byteOffset: Int?
  package let expected: String
  package let found: String

  package init(path: String, byteOffset: Int?, expected: String, found: String) {
    self.path = path
    self.byteOffset = byteOffset
    self.expected = expected
    self.found = found
  }

  package var description: String {
    let position = byteOffset.map { " at byte \($0)" } ?? ""
    return "\(path)\(position): expected \(expected), found \(found)"
  }
}
