internal import CLinux
internal import Glibc

/// A named POSIX thread that can be awaited with a limit.
///
/// The C library has no portable timed join, and a thread that hangs inside librdkafka must not
/// hang its owner, so the end is announced on an event descriptor.
package final class BackgroundThread: Sendable {
  private let finished: EventDescriptor
  private let name: String
  private let body: @Sendable () -> Void

  /// Starts the thread.
  ///
  /// Throws `SYSTEM` when the machine gives no descriptor or thread.
  package init(name: String, _ body: @escaping @Sendable () -> Void) throws(KafkaError) {
    finished = try EventDescriptor()
    self.name = name
    self.body = body
    var thread = pthread_t()
    let box = Unmanaged.passRetained(self)
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let thread = Unmanaged<BackgroundThread>.fromOpaque(argument).takeRetainedValue()
        clinux_set_thread_name(thread.name)
        thread.body()
        thread.finished.signal()
        return nil
      }, box.toOpaque())
    guard status == 0 else {
      box.release()
      throw KafkaError(KafkaError.Name.system, "cannot start a thread: \(text(strerror(status)))")
    }
    pthread_detach(thread)
  }

  /// True when the thread ended within `limit`.
  func wait(_ limit: Duration) -> Bool { finished.wait(limit) }
}

/// eventfd(2): other threads write to it, one sleeps on it; what is signalled while nobody sleeps
/// is not lost.
package final class EventDescriptor: Sendable {
  /// For poll(2): readable when somebody has signalled.
  package let fileDescriptor: Int32

  package init() throws(KafkaError) {
    fileDescriptor = clinux_eventfd()
    guard fileDescriptor >= 0 else {
      throw KafkaError(KafkaError.Name.system, "no event descriptor: \(text(strerror(errno)))")
    }
  }

  deinit { Glibc.close(fileDescriptor) }

  /// What a writer puts into the descriptor: the number 1, in the machine's byte order.
  static let payload: UInt64 = 1

  package func signal() {
    var one = EventDescriptor.payload
    _ = write(fileDescriptor, &one, MemoryLayout<UInt64>.size)
  }

  /// Back to "nothing happened".
  package func clear() {
    var count: UInt64 = 0
    _ = read(fileDescriptor, &count, MemoryLayout<UInt64>.size)
  }

  /// True when somebody signalled within `limit`.
  package func wait(_ limit: Duration) -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
      var entry = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
      let left = max(.zero, deadline - .now)
      let result = poll(&entry, 1, left.wholeMilliseconds)
      if result > 0 { return true }
      if result == 0 || errno != EINTR { return false }
    }
  }
}

extension Duration {
  /// Rounded up, and held inside what a C `int` of milliseconds can say.
  var wholeMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(clamping: max(0, milliseconds))
  }
}
