internal import Glibc

/// A data file that is written under its final, unique name.
///
/// No reader looks at it before a log entry names it, so it needs no staging; it must be closed
/// (which syncs it) before the entry is published.
package final class DataFile {
  package let path: String
  /// Bytes written so far.
  package private(set) var byteCount = 0
  private let role: FileRole
  private var descriptor: Int32

  init(path: String, role: FileRole) throws(SystemError) {
    self.path = path
    self.role = role
    descriptor = try Descriptor.create(path)
    CrashPoint.reached(role, .created)
  }

  deinit {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    try Descriptor.write(descriptor, bytes, path: path)
    byteCount += bytes.count
    CrashPoint.reached(role, .written)
  }

  /// Syncs and closes the file; its directory entry still needs `Publisher.syncDirectory`.
  /// - Throws: the file may be incomplete on disk; it must not be named by any log entry.
  package func close() throws(SystemError) {
    try Descriptor.sync(descriptor, path: path)
    let synced = descriptor
    descriptor = -1
    try Descriptor.close(synced, path: path)
    CrashPoint.reached(role, .synced)
  }

  /// Removes the file, closed or not.
  package func discard() {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
    descriptor = -1
    unlink(path)
  }
}
