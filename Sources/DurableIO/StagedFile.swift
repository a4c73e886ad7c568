internal import Glibc

/// A file that is being written beside its name-to-be.
///
/// It ends in exactly one of `publish` and `discard`; when it goes out of scope with neither, the
/// temporary file is removed.
package struct StagedFile: ~Copyable {
  /// The name it will have.
  package let path: String
  private let temporaryPath: String
  private let directory: String
  private let role: FileRole
  private let lock: InstanceLock?
  private let noteLeftover: (SystemError) -> Void
  private var descriptor: Int32
  private var hasTemporaryName = true

  init(
    name: String, directory: String, role: FileRole, lock: InstanceLock?,
    noteLeftover: @escaping (SystemError) -> Void
  ) throws(SystemError) {
    self.noteLeftover = noteLeftover
    self.directory = directory
    self.role = role
    self.lock = lock
    path = "\(directory)/\(name)"
    temporaryPath = "\(directory)/.\(name).\(RandomUUID.text()).tmp"
    descriptor = try Descriptor.create(temporaryPath)
    CrashPoint.reached(role, .created)
  }

  deinit {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
    if hasTemporaryName { unlink(temporaryPath) }
  }

  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    try Descriptor.write(descriptor, bytes, path: temporaryPath)
    CrashPoint.reached(role, .written)
  }

  package mutating func write(_ bytes: [UInt8]) throws(SystemError) {
    #if DEBUG
      try Descriptor.write(descriptor, Array(bytes[..<(bytes.count / 2)]), path: temporaryPath)
      CrashPoint.reached(role, .halfWritten)
      try Descriptor.write(descriptor, Array(bytes[(bytes.count / 2)...]), path: temporaryPath)
    #else
      try Descriptor.write(descriptor, bytes, path: temporaryPath)
    #endif
    CrashPoint.reached(role, .written)
  }

  /// Makes the staged bytes visible under their name, durably.
  ///
  /// The one publish sequence of the program.
  ///
  /// Order: sync the file, check that the lock is still ours, remove a checksum sidecar that
  /// belonged to an older file of that name, link or rename, remove the temporary name, sync the
  /// directory. On return of `.published` the file survives a power cut.
  /// - Parameter keepingSidecar: the caller has just published `.<name>.crc` for these bytes.
  /// - Returns: `.alreadyExists` only for `.ifAbsent`; then nothing changed.
  /// - Throws: `outcome` says whether the name is there.
  package consuming func publish(
    _ mode: PublishMode, keepingSidecar: Bool = false
  ) throws(SystemError) -> PublishOutcome {
    try Descriptor.sync(descriptor, path: temporaryPath)
    let synced = descriptor
    descriptor = -1
    try Descriptor.close(synced, path: temporaryPath)
    CrashPoint.reached(role, .synced)
    try lock?.check()
    if mode == .ifAbsent, try Files.exists(path) { return .alreadyExists }
    if !keepingSidecar { try Files.remove(Files.sidecarPath(of: path)) }
    switch mode {
    case .ifAbsent:
      if link(temporaryPath, path) != 0 {
        guard errno == EEXIST else { throw SystemError(call: "link", path: path) }
        return .alreadyExists
      }
    case .replace:
      if rename(temporaryPath, path) != 0 { throw SystemError(call: "rename", path: path) }
    }
    hasTemporaryName = false
    CrashPoint.reached(role, .published)
    if mode == .ifAbsent, unlink(temporaryPath) != 0 {
      noteLeftover(SystemError(call: "unlink", path: temporaryPath))
    }
    do {
      try Descriptor.syncDirectory(directory)
    } catch {
      throw error.afterPublishing()
    }
    CrashPoint.reached(role, .directorySynced)
    return .published
  }

  /// Removes the staged bytes; nothing was visible.
  package consuming func discard() {}
}
