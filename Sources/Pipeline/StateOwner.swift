package import DurableIO
internal import Glibc

/// The user whose files the tables and checkpoints are.
package enum StateOwner {
  /// Lets a process of root's go on as the user that the state directory belongs to.
  ///
  /// What root makes there the service could neither replace nor remove. Nothing happens for other
  /// users, for a directory of root's, and for one that is not there.
  /// - Throws: `SystemError`; the process is root's as before.
  package static func become(ownerOf directory: String) throws(SystemError) {
    var status = stat()
    guard geteuid() == 0, stat(directory, &status) == 0, status.st_uid != 0 else { return }
    umask(0o027)
    var group = status.st_gid
    guard setgroups(1, &group) == 0, setgid(group) == 0, setuid(status.st_uid) == 0 else {
      throw SystemError(errno: errno, call: "setuid", path: directory)
    }
  }
}
