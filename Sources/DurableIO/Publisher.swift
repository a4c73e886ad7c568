internal import CLinux
internal import Glibc

/// The one way to make files visible below the state directory.
///
/// Every publish re-checks the instance lock, so that a process which lost it (stopped while
/// another one took over) changes nothing.
package final class Publisher {
  private let lock: InstanceLock?
  private let noteLeftover: (SystemError) -> Void

  /// - Parameters:
  ///   - lock: the daemon's lock; `nil` for tables outside a state directory.
  ///   - noteLeftover: told of a temporary name that could not be removed after its file had been
  ///     published; nothing is wrong but that it stays until the next `sweepTemporaries`.
  package init(lock: InstanceLock?, noteLeftover: @escaping (SystemError) -> Void = { _ in }) {
    self.lock = lock
    self.noteLeftover = noteLeftover
  }

  /// Begins a file `name` in `directory` under a temporary name.
  package func stage(
    _ name: String, in directory: String, role: FileRole
  ) throws(SystemError) -> StagedFile {
    try StagedFile(
      name: name, directory: directory, role: role, lock: lock, noteLeftover: noteLeftover)
  }

  /// Publishes a whole small file and reads it back.
  ///
  /// - Parameter sidecar: also write Hadoop's checksum file `.<name>.crc`, before the file itself,
  ///   as Spark does for the files of a streaming checkpoint.
  /// - Throws: `SystemError`, or `CorruptFileError` when the bytes read back are not the bytes
  ///   written; then the published file must not be trusted.
  package func publish(
    _ bytes: [UInt8], as name: String, in directory: String, role: FileRole, mode: PublishMode,
    sidecar: Bool
  ) throws -> PublishOutcome {
    if sidecar {
      if mode == .ifAbsent, try Files.exists("\(directory)/\(name)") { return .alreadyExists }
      var checksum = try stage(".\(name).crc", in: directory, role: role)
      try checksum.write(HadoopChecksum.sidecar(of: bytes))
      _ = try checksum.publish(.replace)
    }
    var staged = try stage(name, in: directory, role: role)
    try staged.write(bytes)
    let outcome = try staged.publish(mode, keepingSidecar: sidecar)
    switch outcome {
    case .published: try confirm(bytes, at: "\(directory)/\(name)")
    case .alreadyExists:
      // The checksum file is of our bytes, the file is the winner's: none is better than that one.
      if sidecar { try Files.remove("\(directory)/.\(name).crc") }
    }
    return outcome
  }

  /// Creates a data file under its final name; fails when it exists.
  package func createDataFile(
    _ name: String, in directory: String, role: FileRole
  ) throws(SystemError) -> DataFile {
    try DataFile(path: "\(directory)/\(name)", role: role)
  }

  /// Gives a data file of a finished table a second name; its directory still needs
  /// `syncDirectory`.
  ///
  /// The same file under that name already is fine: an earlier attempt made it.
  package func link(_ path: String, to other: String, role: FileRole) throws(SystemError) {
    try lock?.check()
    if Glibc.link(path, other) != 0 {
      let problem = SystemError(call: "link", path: other)
      guard problem.errno == EEXIST, let found = try Files.status(other),
        found.inode == (try Files.status(path))?.inode
      else { throw problem }
    }
    CrashPoint.reached(role, .published)
  }

  /// Moves a directory to a free name in the same file system, durably.
  package func moveDirectory(
    _ path: String, to other: String, role: FileRole
  ) throws(SystemError) {
    try lock?.check()
    guard rename(path, other) == 0 else { throw SystemError(call: "rename", path: other) }
    CrashPoint.reached(role, .published)
    for name in [other, path] { try Descriptor.syncDirectory(Files.parent(of: name)) }
    CrashPoint.reached(role, .directorySynced)
  }

  /// Lets two directories of one file system swap their names, durably and in one step.
  ///
  /// - Throws: `EINVAL` where the file system cannot do that; nothing was changed then.
  package func exchangeDirectories(
    _ path: String, _ other: String, role: FileRole
  ) throws(SystemError) {
    try lock?.check()
    guard clinux_exchange(path, other) == 0 else {
      throw SystemError(call: "renameat2", path: other)
    }
    CrashPoint.reached(role, .published)
    for name in [other, path] { try Descriptor.syncDirectory(Files.parent(of: name)) }
    CrashPoint.reached(role, .directorySynced)
  }

  /// Removes a file, durably; none there is fine.
  package func remove(
    _ name: String, in directory: String, role: FileRole
  ) throws(SystemError) {
    try lock?.check()
    try Files.remove("\(directory)/\(name)")
    try syncDirectory(directory, role: role)
  }

  /// Removes a directory with everything in it; a missing one is fine.
  package func removeTree(_ path: String) throws(SystemError) {
    try lock?.check()
    guard let status = try Files.status(path) else { return }
    guard status.isDirectory else { return try Files.remove(path) }
    for name in try Files.list(path) { try removeTree("\(path)/\(name)") }
    guard rmdir(path) == 0 else { throw SystemError(call: "rmdir", path: path) }
  }

  /// Makes the names of closed data files durable.
  package func syncDirectory(_ directory: String, role: FileRole) throws(SystemError) {
    try Descriptor.syncDirectory(directory)
    CrashPoint.reached(role, .directorySynced)
  }

  /// Makes the names in directories durable, and those of the directories themselves below `root`.
  ///
  /// A process that died between giving a name and syncing its directory leaves a name that can
  /// be read and that a power cut takes back. Whoever builds on such names calls this first.
  ///
  /// - Parameter directories: below `root`; missing ones are fine.
  package func settle(_ directories: [String], below root: String) throws(SystemError) {
    var settled: Set<String> = []
    for directory in directories {
      var current = directory
      while current.hasPrefix(root), settled.insert(current).inserted {
        if try Files.exists(current) { try Descriptor.syncDirectory(current) }
        current = Files.parent(of: current)
      }
    }
  }

  /// Removes what a killed process of ours left half written: `.<name>.<uuid>.tmp`.
  ///
  /// - Parameter directory: nothing happens when it is missing.
  /// - Returns: the names removed.
  package func sweepTemporaries(in directory: String) throws(SystemError) -> [String] {
    guard try Files.exists(directory) else { return [] }
    try lock?.check()
    let leftovers = try Files.list(directory).filter(Self.isTemporary)
    for name in leftovers { try Files.remove("\(directory)/\(name)") }
    return leftovers
  }

  private static func isTemporary(_ name: String) -> Bool {
    guard name.hasPrefix("."), name.hasSuffix(".tmp") else { return false }
    let parts = name.dropLast(4).split(separator: ".")
    guard parts.count >= 2, let last = parts.last else { return false }
    return last.utf8.count == 36 && last.split(separator: "-").count == 5
  }

  private func confirm(_ bytes: [UInt8], at path: String) throws {
    let found: [UInt8]
    do {
      found = try Files.read(path)
    } catch {
      throw error.afterPublishing()
    }
    guard found != bytes else { return }
    let position = zip(bytes, found).enumerated().first { $0.element.0 != $0.element.1 }?.offset
    throw CorruptFileError(
      path: path, byteOffset: position ?? min(bytes.count, found.count),
      expected: "the \(bytes.count) bytes just written",
      found: "\(found.count) bytes that differ when read back")
  }
}
