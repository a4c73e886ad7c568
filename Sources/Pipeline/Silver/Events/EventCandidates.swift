internal import Clickstream

/// Events of a slice that may be stored already, found again by what tells events apart.
struct EventCandidates {
  private let rows: EventRows
  /// Rows of the slice.
  private let candidates: [Int32]
  private let eventIDs: ByteStrings
  /// Ascending, to compare with ranges.
  private let orderedTimes: [Int64]
  private let times: Set<Int64>
  /// The first candidate with a fingerprint, and for each candidate the next with the same.
  private var first: [UInt64: Int32] = [:]
  private var next: [Int32]

  /// - Parameter eventIDs: of the candidates, in their order.
  init(_ candidates: [Int32], of rows: EventRows, eventIDs: ByteStrings) {
    self.rows = rows
    self.candidates = candidates
    self.eventIDs = eventIDs
    times = Set(candidates.lazy.map { rows.time(Int($0)) })
    orderedTimes = times.sorted()
    next = [Int32](repeating: -1, count: candidates.count)
    first.reserveCapacity(candidates.count)
    for (index, row) in candidates.enumerated().reversed() {
      let fingerprint = rows.fingerprint(Int(row))
      next[index] = first.updateValue(Int32(index), forKey: fingerprint) ?? -1
    }
  }

  /// Whether a candidate's time is in the range.
  func mayBe(in range: ClosedRange<Int64>) -> Bool {
    let index = orderedTimes.partitioningIndex { $0 >= range.lowerBound }
    return index < orderedTimes.count && orderedTimes[index] <= range.upperBound
  }

  func has(time: Int64) -> Bool { times.contains(time) }

  /// The row of the slice that is the same event as a stored one; nil when there is none.
  ///
  /// A slice that was freed of its own duplicates has at most one.
  func row(equal keys: StoredKeys, _ storedRow: Int) -> Int? {
    guard let time = keys.time(storedRow),
      case .some(.some(let visitor)) = keys.withVisitor(storedRow, rows.visitors.find)
    else { return nil }
    return keys.withEventID(storedRow) { eventID in
      let fingerprint = EventHash.fingerprint(
        visitorHash: rows.visitors.hash(of: visitor), time: time,
        eventIDHash: EventHash.of(eventID))
      var index = first[fingerprint] ?? -1
      while index >= 0 {
        let row = Int(candidates[Int(index)])
        if rows.visitor(row) == visitor, rows.time(row) == time,
          eventIDs[Int(index)].elementsEqual(eventID)
        {
          return row
        }
        index = next[Int(index)]
      }
      return nil
    } ?? nil
  }
}
