internal import DurableIO
internal import Glibc

/// Failed system calls in the operator's words.
extension PipelineError {
  static func system(_ error: SystemError) -> PipelineError {
    if error.isLostLock { return lockLost(error) }
    let (code, remedy) = advice(on: error)
    switch error.outcome {
    case .notPublished:
      return PipelineError(
        code, .system, error.description, remedy: remedy + "; the next run tries again")
    case .published:
      return PipelineError(
        code, .system, error.description,
        effect: "the file was written and has its name, so nothing of it is lost",
        remedy: remedy + "; the next run reads what is there and goes on")
    case .unknown:
      return PipelineError(
        "SYNC_FAILED", .outcomeUnknown, error.description,
        effect: "what is on disk is unknown until the tables are read again",
        remedy: remedy + "; run `shopmetricsctl verify`, then start the daemon again")
    }
  }

  private static func lockLost(_ error: SystemError) -> PipelineError {
    PipelineError(
      "LOCK_LOST", .outcomeUnknown,
      "\(error.path) was removed or replaced while it was held, so another process may write here",
      effect: "nothing was written after that was noticed",
      remedy: "end the other process if `fuser \(error.path)` shows one, and leave the file alone; "
        + "then start the daemon again")
  }

  /// A code for each thing that an operator can do about it.
  private static func advice(on error: SystemError) -> (code: String, remedy: String) {
    let path = error.path
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
    return switch error.errno {
    case ENOSPC:
      ("DISK_FULL", "make room: `df -h \(directory)` and `df -i \(directory)` show what is missing")
    case EDQUOT:
      ("DISK_QUOTA", "raise the quota of the daemon's user (`quota`, `xfs_quota`) or make room")
    case EROFS:
      (
        "DISK_READ_ONLY",
        "see with `findmnt -T \(directory)` whether the disk is mounted read-only, after an error "
          + "perhaps; for a directory outside /var/lib/shopmetrics the service needs "
          + "ReadWritePaths=\(directory) in a drop-in (`systemctl edit shopmetricsd`)"
      )
    case EACCES, EPERM:
      (
        "DISK_NO_ACCESS",
        "give the daemon's user the file (`chown`, `chmod`, `lsattr`); for a directory outside "
          + "/var/lib/shopmetrics the service needs ReadWritePaths=\(directory) in a drop-in "
          + "(`systemctl edit shopmetricsd`)"
      )
    case EIO:
      ("DISK_ERROR", "look for the disk's errors with `journalctl -k` and replace it if it fails")
    case EMFILE, ENFILE:
      ("TOO_MANY_FILES", "raise LimitNOFILE= in a drop-in (`systemctl edit shopmetricsd`)")
    case EFBIG:
      ("FILE_TOO_LARGE", "raise LimitFSIZE= in a drop-in (`systemctl edit shopmetricsd`)")
    default:
      ("SYSTEM_CALL", "make the path usable again: `namei -l \(path)` shows who owns what")
    }
  }
}
