/// Events of one visitor without a pause longer than the gap.
///
/// Times are in microseconds since 1970.
package struct EventCluster: Equatable, Sendable, BitwiseCopyable {
  package var visitor: Int32
  var eventCount: Int32
  package var first: Int64
  package var last: Int64

  init(visitor: Int32, eventCount: Int32, first: Int64, last: Int64) {
    (self.visitor, self.eventCount, self.first, self.last) = (visitor, eventCount, first, last)
  }

  /// The instant of one event, to look for its session.
  package init(visitor: Int32, at time: Int64) {
    self.init(visitor: visitor, eventCount: 1, first: time, last: time)
  }
}

/// The surviving rows of a slice by visitor and time, cut into clusters at pauses.
///
/// A counting sort by visitor; within a visitor the rows come nearly in order already. A row is
/// one word there, its time above its traits. No memory is allocated per event.
package struct GroupedEvents {
  static let traitBits: Int64 = 4
  static let traitMask: Int64 = 1 << traitBits - 1

  /// By visitor, then time; two clusters of a visitor are more than the gap apart.
  package let clusters: [EventCluster]
  package let gap: Int64
  /// Times and traits in the order of the clusters.
  let words: [Int64]

  /// Groups the rows that survived.
  ///
  /// `survivors` has an element for each row. `gap` is at most a day in microseconds; a pause of
  /// exactly the gap does not cut.
  package init(_ rows: EventRows, survivors: [Bool], gap: Int64) {
    precondition(survivors.count == rows.count, "each row survives or does not")
    precondition((0...86_400_000_000).contains(gap), "a gap is at most a day")
    self.gap = gap
    let visitorCount = rows.visitors.count
    let ends = UnsafeMutablePointer<Int32>.allocate(capacity: visitorCount + 1)
    defer { ends.deallocate() }
    words = Self.words(of: rows, survivors, byVisitorUpTo: ends, visitorCount)
    var clusters: [EventCluster] = []
    words.withUnsafeBufferPointer { words in
      clusters.reserveCapacity(min(words.count, visitorCount))
      var start = 0
      for visitor in 0..<visitorCount where Int(ends[visitor]) > start {
        let end = Int(ends[visitor])
        Self.cut(words, start..<end, of: Int32(visitor), gap: gap, into: &clusters)
        start = end
      }
    }
    self.clusters = clusters
  }

  /// The surviving rows as words, sorted; `ends` becomes the end of each visitor's words.
  private static func words(
    of rows: EventRows, _ survivors: [Bool], byVisitorUpTo ends: UnsafeMutablePointer<Int32>,
    _ visitorCount: Int
  ) -> [Int64] {
    let (visitors, times, traits) = (rows.visitorNumbers, rows.times, rows.traits)
    ends.initialize(repeating: 0, count: visitorCount + 1)
    return survivors.withUnsafeBufferPointer { survivors in
      var total = 0
      for row in 0..<survivors.count where survivors[row] {
        ends[Int(visitors[row])] &+= 1
        total &+= 1
      }
      var next: Int32 = 0
      for visitor in 0..<visitorCount {
        let count = ends[visitor]
        ends[visitor] = next
        next &+= count
      }
      return [Int64](unsafeUninitializedCapacity: total) { words, count in
        for row in 0..<survivors.count where survivors[row] {
          let visitor = Int(visitors[row])
          words[Int(ends[visitor])] = times[row] << traitBits | Int64(traits[row])
          ends[visitor] &+= 1
        }
        count = total
        var start = 0
        for visitor in 0..<visitorCount where Int(ends[visitor]) > start {
          sort(words, start..<Int(ends[visitor]))
          start = Int(ends[visitor])
        }
      }
    }
  }

  /// Sorts by insertion, which is one comparison a word for what is in order, unless that moves
  /// too much.
  @inline(__always)
  private static func sort(_ words: UnsafeMutableBufferPointer<Int64>, _ range: Range<Int>) {
    var patience = 64 &+ 8 &* range.count
    for index in range.lowerBound &+ 1..<range.upperBound {
      let word = words[index]
      var place = index
      while place > range.lowerBound, words[place &- 1] > word {
        words[place] = words[place &- 1]
        place &-= 1
      }
      words[place] = word
      patience &-= index &- place
      if patience < 0 {
        var rest = UnsafeMutableBufferPointer(rebasing: words[range])
        rest.sort()
        return
      }
    }
  }

  /// Appends the clusters of one visitor's words.
  @inline(__always)
  private static func cut(
    _ words: UnsafeBufferPointer<Int64>, _ range: Range<Int>, of visitor: Int32, gap: Int64,
    into clusters: inout [EventCluster]
  ) {
    var start = range.lowerBound
    var first = words[start] >> traitBits
    var last = first
    for index in range.lowerBound &+ 1..<range.upperBound {
      let time = words[index] >> traitBits
      if time &- last > gap {
        clusters.append(
          EventCluster(
            visitor: visitor, eventCount: Int32(truncatingIfNeeded: index &- start),
            first: first, last: last))
        (start, first) = (index, time)
      }
      last = time
    }
    clusters.append(
      EventCluster(
        visitor: visitor, eventCount: Int32(truncatingIfNeeded: range.upperBound &- start),
        first: first, last: last))
  }
}
