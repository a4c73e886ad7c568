internal import Clickstream

/// Which rows of a cold file a batch moves into memory.
enum SessionSelection {
  /// Those that new events extend.
  case reached(SessionReach)
  /// Those that are not to be parked any more.
  case due(SessionPlacement)

  /// Whether a row group may have such rows, by its statistics.
  func mayInclude(rowGroup: Int, of reader: SessionFileReader) -> Bool {
    switch self {
    case .reached(let reach): reader.rowGroup(rowGroup, mayTouch: reach)
    case .due(let placement): reader.rowGroup(rowGroup, mayBeginBy: placement.latestDue)
    }
  }

  /// Whether a row may be one of them, by its times.
  @inline(__always)
  func mayInclude(first: Int64, last: Int64) -> Bool {
    switch self {
    case .reached(let reach): reach.mayTouch(from: first, to: last)
    case .due(let placement): !placement.isParked(first: first) || placement.isFinal(last: last)
    }
  }

  /// The number of a row's visitor if the row is one of them, else nil.
  func visitor(
    _ name: UnsafeRawBufferPointer, first: Int64, last: Int64, in visitors: VisitorTable
  ) -> Int32? {
    guard case .reached(let reach) = self else { return visitors.id(of: name) }
    guard let visitor = visitors.find(name) else { return nil }
    return reach.touches(visitor: visitor, first: first, last: last) ? visitor : nil
  }
}
