import CLinux
import Glibc
import Pipeline
import Synchronization

/// The one thread on which runs happen; the main thread only takes signals and feeds the watchdog.
final class RunThread: Sendable {
  private let result = Mutex<ExitStatus?>(nil)
  private let body: @Sendable () -> ExitStatus

  /// Starts the thread.
  init(_ body: @escaping @Sendable () -> ExitStatus) {
    self.body = body
    var thread = pthread_t()
    let box = Unmanaged.passRetained(self)
    let status = pthread_create(
      &thread, nil,
      { argument in
        guard let argument else { return nil }
        let runThread = Unmanaged<RunThread>.fromOpaque(argument).takeRetainedValue()
        clinux_set_thread_name("run")
        let status = runThread.body()
        runThread.result.withLock { $0 = status }
        // The main thread sleeps in sigtimedwait; wake it up.
        kill(getpid(), SIGHUP)
        return nil
      }, box.toOpaque())
    precondition(status == 0, "no thread could be started")
    pthread_detach(thread)
  }

  /// How the thread ended; `nil` while it runs.
  var exitStatus: ExitStatus? { result.withLock { $0 } }
}
