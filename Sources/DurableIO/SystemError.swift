internal import CLinux
internal import Glibc

/// A system call that failed: which one, on which path, and why.
package struct SystemError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The call's `errno`.
  package let errno: Int32
  /// Name of the call, such as `fsync`.
  package let call: String
  package let path: String
  /// How many bytes there was no room for, where the call was to write some.
  package let byteCount: Int?
  package let outcome: Outcome

  /// What became of the file that the call was for.
  package enum Outcome: Sendable {
    /// It has not got its name.
    case notPublished
    /// It has its name. What failed came after that: it was not read back, or its directory could
    /// not even be opened to sync it, which the next recovery makes up for.
    case published
    /// Nobody knows what a power cut would leave: a sync failed.
    ///
    /// Nothing may be retried then; only a restart reads the truth.
    case unknown
  }

  package init(
    errno: Int32, call: String, path: String, byteCount: Int? = nil,
    outcome: Outcome = .notPublished
  ) {
    self.errno = errno
    self.call = call
    self.path = path
    self.byteCount = byteCount
    self.outcome = outcome
  }

  /// The error of a call that has just returned -1.
  init(call: String, path: String, byteCount: Int? = nil, outcome: Outcome = .notPublished) {
    self.init(errno: Glibc.errno, call: call, path: path, byteCount: byteCount, outcome: outcome)
  }

  /// The same failure, after its file was published.
  func afterPublishing() -> SystemError {
    guard outcome == .notPublished else { return self }
    return SystemError(
      errno: errno, call: call, path: path, byteCount: byteCount, outcome: .published)
  }

  /// The lock file at `path` is not ours any more: somebody removed or replaced it, and another
  /// process may hold the new one.
  static func lockLost(_ path: String) -> SystemError {
    SystemError(errno: ESTALE, call: lockCheck, path: path, outcome: .unknown)
  }

  package var isLostLock: Bool { call == Self.lockCheck }

  private static let lockCheck = "check lock"

  /// The symbolic name of `errno`, such as `ENOSPC`.
  package var errnoName: String { String(cString: clinux_error_name(errno)) }

  package var description: String {
    let amount = byteCount.map { ", for \($0) bytes" } ?? ""
    return "\(call) \(path): \(String(cString: strerror(errno))) (\(errnoName)\(amount))"
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
