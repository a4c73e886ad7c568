/// Before which time no more events are expected; decides where a session is kept and whether it
/// says final, never what is true.
///
/// It is decided when a batch is planned, logged with the batch, and never goes back.
package struct Watermark: Equatable, Sendable {
  /// How far it stays behind, in milliseconds.
  package let latenessMs: Int64

  package init(latenessMs: Int64) {
    precondition(latenessMs >= 0, "a watermark does not run ahead of events")
    self.latenessMs = latenessMs
  }

  /// The watermark after a batch, from the newest event time seen in the stream.
  ///
  /// - Parameters:
  ///   - newestEvent: microseconds since 1970; each event's time was cut at its `ingested_at`, so
  ///     that one event dated 2099 does not move it.
  ///   - current: the watermark of the batch.
  package func after(newestEvent: Int64, current: Int64) -> Int64 {
    max(current, 0, newestEvent.dividedDown(by: 1000) - latenessMs)
  }

  /// The watermark of a batch that takes the last of what its source has: what has not come until
  /// now, allowance included, is late.
  package func whenDrained(batchTimestampMs: Int64, current: Int64) -> Int64 {
    max(current, 0, batchTimestampMs - latenessMs)
  }
}
