internal import DurableIO
import Glibc

/// Room on the disk of the state directory.
enum FreeSpace {
  /// No run starts with less than `storage.min_free`: a full disk would end it in the middle, and
  /// whoever makes room needs some.
  ///
  /// - Throws: `LOW_DISK`.
  static func check(_ storage: StorageSettings, log: Log) throws(PipelineError) {
    let path = storage.stateDirectory
    let free: Int64
    do {
      free = try bytes(at: path)
    } catch {
      return log.warning(
        "\(error): it is not known how much is free; the run starts all the same",
        [("code", "FREE_SPACE_UNKNOWN")])
    }
    guard free < storage.minFreeBytes else { return }
    throw PipelineError(
      "LOW_DISK", .system,
      "\(path) has \(RunReport.grouped(free)) bytes free, and storage.min_free asks for "
        + RunReport.grouped(storage.minFreeBytes),
      effect: "no run was started",
      remedy: "make room (`shopmetricsctl tables` says what takes it); the next run tries again")
  }

  /// Bytes that are left for us on the disk of `path`.
  static func bytes(at path: String) throws(SystemError) -> Int64 {
    var found = statvfs()
    guard statvfs(path, &found) == 0 else {
      throw SystemError(errno: errno, call: "statvfs", path: path)
    }
    let (bytes, overflow) = UInt64(found.f_bavail).multipliedReportingOverflow(
      by: UInt64(found.f_frsize))
    return overflow ? Int64.max : Int64(clamping: bytes)
  }
}
