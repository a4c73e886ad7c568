#if DEBUG
  internal import Glibc
  internal import Synchronization
#endif

/// The durable steps at which a debug build can be killed, named role × step.
///
/// `SHOPMETRICS_CRASH_AT=offsets.synced` kills the process at the first such step,
/// `…:3` at the third. Release builds contain none of this.
package enum CrashPoint {
  package enum Step: String, CaseIterable, Sendable {
    case created, halfWritten, written, synced, published, directorySynced
  }

  #if DEBUG
    private static let target: (name: String, count: Int)? = {
      guard let value = getenv("SHOPMETRICS_CRASH_AT") else { return nil }
      let parts = String(cString: value).split(separator: ":")
      guard let name = parts.first else { return nil }
      return (String(name), parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
    }()
    private static let hits = Atomic<Int>(0)

    package static func reached(_ role: FileRole, _ step: Step) {
      guard let target, target.name == "\(role.rawValue).\(step.rawValue)" else { return }
      let count = hits.add(1, ordering: .relaxed).newValue
      if count == target.count { kill(getpid(), SIGKILL) }
    }
  #else
    @inline(__always)
    package static func reached(_ role: FileRole, _ step: Step) {}
  #endif
}
