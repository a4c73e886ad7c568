internal import Clickstream

/// Where stored sessions have to lie for new events to extend them: for each visitor the time
/// from a gap before to a gap after his events.
struct SessionReach {
  private struct Interval {
    var visitor: Int32
    var lower: Int64
    var upper: Int64
  }

  /// By visitor, then by time; those of one visitor do not overlap.
  private let intervals: [Interval]
  /// The same without the visitors.
  private let spans: TimeRanges

  /// - Parameter limits: clusters that reach nothing in here are left out.
  init(_ clusters: [EventCluster], gap: Int64, within limits: ClosedRange<Int64>) {
    var found: [Interval] = []
    for cluster in clusters {
      let interval = Interval(
        visitor: cluster.visitor, lower: cluster.first.clampedSubtracting(gap),
        upper: cluster.last.clampedAdding(gap))
      if interval.lower <= limits.upperBound, interval.upper >= limits.lowerBound {
        found.append(interval)
      }
    }
    found.sort { ($0.visitor, $0.lower) < ($1.visitor, $1.lower) }
    var joined: [Interval] = []
    for interval in found {
      if let previous = joined.last, previous.visitor == interval.visitor,
        interval.lower <= previous.upper
      {
        joined[joined.count - 1].upper = max(previous.upper, interval.upper)
      } else {
        joined.append(interval)
      }
    }
    intervals = joined
    spans = TimeRanges(joined.lazy.map { $0.lower...$0.upper })
  }

  /// The time that clusters reach at all, nil without clusters.
  static func extent(of clusters: [EventCluster], gap: Int64) -> ClosedRange<Int64>? {
    guard var (first, last) = clusters.first.map({ ($0.first, $0.last) }) else { return nil }
    for cluster in clusters {
      first = min(first, cluster.first)
      last = max(last, cluster.last)
    }
    return first.clampedSubtracting(gap)...last.clampedAdding(gap)
  }

  /// False when no cluster reaches a session that lies within these times.
  func mayTouch(from first: Int64, to last: Int64) -> Bool {
    spans.overlaps(from: first, to: last)
  }

  /// Whether new events of the visitor extend a session with these times.
  func touches(visitor: Int32, first: Int64, last: Int64) -> Bool {
    let index = intervals.partitioningIndex {
      ($0.visitor, $0.upper) >= (visitor, first)
    }
    guard index < intervals.count, intervals[index].visitor == visitor else { return false }
    return intervals[index].lower <= last
  }
}
