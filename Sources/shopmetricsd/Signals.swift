import Glibc

/// The signals that the program handles, taken one at a time by the main thread.
///
/// They are blocked before any other thread exists, so every thread inherits that and none is
/// interrupted in the middle of a write.
enum Signals {
  private static let handled = [SIGTERM, SIGINT, SIGHUP]

  static func block() {
    var set = handledSet
    pthread_sigmask(SIG_BLOCK, &set, nil)
    // A reader of the log that went away must not end the program.
    signal(SIGPIPE, SIG_IGN)
    // A write beyond LimitFSIZE= is an error with a path, not the end.
    signal(SIGXFSZ, SIG_IGN)
  }

  /// The next signal, or `nil` when none came within `milliseconds`.
  static func wait(milliseconds: Int) -> Int32? {
    var set = handledSet
    var limit = timespec(
      tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    let signal = sigtimedwait(&set, nil, &limit)
    return signal > 0 ? signal : nil
  }

  private static var handledSet: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in handled { sigaddset(&set, signal) }
    return set
  }
}
