internal import Clickstream

/// The survivors of a slice, told apart by how their time compares with the batch's.
struct TimeSplit {
  struct Part {
    /// By row of the slice.
    var mask: [Bool]
    /// Of the rows in the mask, in microseconds since 1970; nil when there are none.
    var times: ClosedRange<Int64>?
  }

  private(set) var main: Part
  private(set) var late: Part
  private(set) var early: Part

  /// - Parameters:
  ///   - lateBefore: events before it are late; microseconds since 1970.
  ///   - aheadOfArrival: events that are dated more than so many microseconds after their arrival
  ///     are early.
  init(_ rows: EventRows, _ survivors: [Bool], lateBefore: Int64, aheadOfArrival: Int64) {
    main = Part(mask: survivors)
    late = Part(mask: [])
    early = Part(mask: [])
    for row in 0..<rows.count where survivors[row] {
      let time = rows.time(row)
      let (arrival, overflow) = rows.position(row).ingestedAt
        .addingReportingOverflow(aheadOfArrival)
      if time < lateBefore {
        Self.move(row, time, from: &main, to: &late)
      } else if time > arrival, !overflow {
        Self.move(row, time, from: &main, to: &early)
      } else {
        main.include(time)
      }
    }
  }

  private static func move(_ row: Int, _ time: Int64, from: inout Part, to: inout Part) {
    if to.mask.isEmpty { to.mask = [Bool](repeating: false, count: from.mask.count) }
    from.mask[row] = false
    to.mask[row] = true
    to.include(time)
  }
}

extension TimeSplit.Part {
  init(mask: [Bool]) { self.init(mask: mask, times: nil) }

  @inline(__always)
  fileprivate mutating func include(_ time: Int64) {
    guard let times else { return self.times = time...time }
    if time < times.lowerBound {
      self.times = time...times.upperBound
    } else if time > times.upperBound {
      self.times = times.lowerBound...time
    }
  }
}
