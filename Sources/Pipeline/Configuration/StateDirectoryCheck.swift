import Glibc

/// Whether the state directory can hold tables and checkpoints without harm.
extension ConfigurationLoader {
  mutating func checkStateDirectory() {
    let problem = StateDirectoryCheck.problem(
      configuration.storage.stateDirectory, isWritten: reader != .tool)
    guard let problem else { return }
    report("storage.state_directory", "storage.state_directory \(problem)")
  }
}

enum StateDirectoryCheck {
  /// Completes the sentence "storage.state_directory …"; `nil` when all is well.
  ///
  /// - Parameter isWritten: whether it has to be writable, or a place where it can be made.
  static func problem(_ path: String, isWritten: Bool = true) -> String? {
    if let table = enclosingTable(of: path) {
      return "is \(path), inside the Delta table \(table); a VACUUM there would delete it"
    }
    var status = stat()
    guard lstat(path, &status) == 0 else {
      guard errno == ENOENT else { return "is \(path): \(SystemText.error(errno))" }
      return isWritten ? absent(path) : nil
    }
    return problem(path, status) ?? linkInside(path) ?? (isWritten ? unwritable(path) : nil)
  }

  /// The service's start makes it; that needs a parent in which it can be made.
  private static func absent(_ path: String) -> String? {
    let parent = parent(of: path)
    var status = stat()
    guard stat(parent, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      return "is \(path), and \(parent) is not a directory; make it first"
    }
    guard access(parent, W_OK | X_OK) == 0 else {
      return "is \(path), which is absent and cannot be made in \(parent): "
        + SystemText.error(errno)
    }
    return nil
  }

  private static func problem(_ path: String, _ status: stat) -> String? {
    switch status.st_mode & S_IFMT {
    case S_IFDIR: break
    case S_IFLNK: return "is \(path), a symbolic link; give the directory that it points to"
    default: return "is \(path), which is not a directory"
    }
    if status.st_mode & S_IWOTH != 0 {
      return "is \(path), which everybody may write to; chmod o-w it"
    }
    return nil
  }

  private static func unwritable(_ path: String) -> String? {
    guard access(path, R_OK | W_OK | X_OK) != 0 else { return nil }
    let reason = SystemText.error(errno)
    return "is \(path), which is not writable: \(reason); under systemd, "
      + "ReadWritePaths=\(path) in a drop-in, and chown it to the service's user"
  }

  /// The names below the state directory are fixed, so only a link can make two of them one
  /// place, or put a checkpoint into a table.
  private static func linkInside(_ path: String) -> String? {
    let paths = StatePaths(stateDirectory: path)
    let inner = [paths.bronze, paths.deadLetter, paths.bronzeCheckpoint]
    for place in inner.flatMap({ [parent(of: $0), $0] }) {
      var status = stat()
      guard lstat(place, &status) == 0 else { continue }
      if status.st_mode & S_IFMT != S_IFDIR {
        return "holds \(place), which is not a directory of its own; "
          + "tables and checkpoints must not share a place"
      }
    }
    return nil
  }

  /// The nearest directory, from the path itself upwards, that is a Delta table.
  private static func enclosingTable(of path: String) -> String? {
    var place = path
    while place != "/" {
      if access(place + "/_delta_log", F_OK) == 0 { return place }
      place = parent(of: place)
    }
    return nil
  }

  private static func parent(of path: String) -> String {
    let parts = path.split(separator: "/").dropLast()
    return "/" + parts.joined(separator: "/")
  }
}
