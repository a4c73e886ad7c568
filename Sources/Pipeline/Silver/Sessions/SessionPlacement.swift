internal import Clickstream

/// Where a session is kept: decided by the watermark alone, so that it says nothing about the
/// session that a later event could not change.
struct SessionPlacement {
  enum Place {
    /// In the file that every batch may rewrite.
    case hot
    /// Not final, but too far in the future for a batch to expect its events.
    case parked
    /// No event is expected any more.
    case final
  }

  /// Microseconds, as all times here.
  let watermark: Int64
  let gap: Int64
  /// Sessions that begin after this instant are parked.
  let parkedAfter: Int64
  /// What is known of the next batch's watermark: sessions that will be final by then are quiet.
  var nextWatermark = Int64.min

  func place(of session: Session) -> Place {
    if isFinal(last: session.last) { return .final }
    return isParked(first: session.first) ? .parked : .hot
  }

  /// Whether the session is certainly final for the next batch, by the statistics of a file too,
  /// which may state up to two milliseconds more.
  func isQuiet(_ session: Session) -> Bool {
    session.last.clampedAdding(gap).clampedAdding(3000) < nextWatermark
  }

  func isFinal(last: Int64) -> Bool { last.clampedAdding(gap) < watermark }

  /// No session that begins later is anything but parked: what is final ends before the watermark,
  /// and an instant is compared by its millisecond.
  var latestDue: Int64 { max(parkedAfter, watermark).clampedAdding(999) }

  /// Compares what file statistics keep of an instant, so that a file's statistics tell whether
  /// all of its rows are parked.
  func isParked(first: Int64) -> Bool {
    first.dividedDown(by: 1000).clampedMultiplied(by: 1000) > parkedAfter
  }
}
