import CLinux
import Glibc
import Kafka

/// The signals that the program handles, taken one at a time by the main thread.
///
/// They are blocked before any other thread exists, so every thread inherits that and none is
/// interrupted in the middle of a write. They wait in a descriptor (signalfd(2)), so that the main
/// thread can sleep on them and on other news at once.
struct Signals {
  private static let handled = [SIGTERM, SIGINT, SIGHUP]

  private let descriptor: Int32

  static func block() {
    var set = handledSet
    pthread_sigmask(SIG_BLOCK, &set, nil)
    // A reader of the log that went away must not end the program.
    signal(SIGPIPE, SIG_IGN)
    // A write beyond LimitFSIZE= is an error with a path, not the end.
    signal(SIGXFSZ, SIG_IGN)
  }

  init() {
    var set = Self.handledSet
    descriptor = clinux_signalfd(&set)
    precondition(descriptor >= 0, "the kernel gives no descriptor for signals")
  }

  /// Waits for a signal, for `news`, or for `milliseconds` to pass.
  /// - Returns: `nil` when it was not a signal.
  func wait(milliseconds: Int64, or news: EventDescriptor) -> Int32? {
    var entries = [descriptor, news.fileDescriptor].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    guard poll(&entries, nfds_t(entries.count), Int32(clamping: milliseconds)) > 0 else {
      return nil
    }
    // Before whoever is woken looks around: what is signalled from here on wakes it again.
    if entries[1].revents != 0 { news.clear() }
    let signal = clinux_take_signal(descriptor)
    return signal > 0 ? signal : nil
  }

  private static var handledSet: sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for signal in handled { sigaddset(&set, signal) }
    return set
  }
}
