import Kafka
import Pipeline
import Synchronization

/// The one thread on which runs happen; the main thread only takes signals and feeds the watchdog.
final class RunThread: Sendable {
  private let result = Mutex<ExitStatus?>(nil)

  /// Starts the thread.
  ///
  /// - Parameter news: signalled when it has ended.
  init(
    _ news: EventDescriptor, _ body: @escaping @Sendable () -> ExitStatus
  ) throws(StartFailure) {
    do {
      _ = try BackgroundThread(name: "run") {
        let status = body()
        self.result.withLock { $0 = status }
        news.signal()
      }
    } catch {
      throw StartFailure(.translating(error))
    }
  }

  /// How the thread ended; `nil` while it runs.
  var exitStatus: ExitStatus? { result.withLock { $0 } }
}
