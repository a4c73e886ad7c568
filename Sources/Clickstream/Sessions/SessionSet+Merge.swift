extension SessionSet {
  /// What `add` did to the set.
  package struct Change: Equatable, Sendable {
    /// Sessions that are new.
    package var created = 0
    /// Sessions that took in events, each counted once.
    package var extended = 0
    /// Sessions that are gone because an extended one took them in.
    package var merged = 0

    package init(created: Int = 0, extended: Int = 0, merged: Int = 0) {
      (self.created, self.extended, self.merged) = (created, extended, merged)
    }

    package static func += (left: inout Change, right: Change) {
      left.created += right.created
      left.extended += right.extended
      left.merged += right.merged
    }
  }

  /// Merges clusters of events into the sessions.
  ///
  /// What is within the gap of each other becomes one session, transitively: a cluster joins
  /// sessions, a session joins clusters. Both are walked from the newest to the oldest, so that
  /// each visitor costs one pass over its clusters and sessions. Changed sessions get `updatedAt`,
  /// the batch's timestamp.
  ///
  /// The events are of the same `VisitorTable` and gap, and counted in once.
  package func add(_ grouped: GroupedEvents, updatedAt: Int64) -> Change {
    precondition(grouped.gap == gap, "events are grouped with the gap of the sessions")
    coverVisitors()
    sortLists()
    return grouped.clusters.withUnsafeBufferPointer { clusters in
      grouped.words.withUnsafeBufferPointer { words in
        var merge = Merge(
          clusters: clusters, words: words, updatedAt: updatedAt, next: clusters.count,
          wordEnd: words.count)
        while merge.next > 0 {
          add(&merge, visitor: clusters[merge.next &- 1].visitor)
        }
        return merge.change
      }
    }
  }

  /// Clusters that are being merged, from the last to the first.
  private struct Merge {
    let clusters: UnsafeBufferPointer<EventCluster>
    let words: UnsafeBufferPointer<Int64>
    let updatedAt: Int64
    /// Clusters that are left, and the end of their words.
    var next: Int
    var wordEnd: Int
    var change = Change()

    /// Whether a cluster of the visitor is left that ends at `time` or later.
    @inline(__always)
    func hasCluster(of visitor: Int32, endingFrom time: Int64) -> Bool {
      next > 0 && clusters[next &- 1].visitor == visitor && clusters[next &- 1].last >= time
    }

    /// The last cluster that is left as a session of its own.
    @inline(__always)
    mutating func takeCluster() -> Session {
      next &-= 1
      let cluster = clusters[next]
      let start = wordEnd &- Int(cluster.eventCount)
      var session = Session(
        visitor: cluster.visitor, first: cluster.first, last: cluster.last,
        updatedAt: updatedAt, eventCount: cluster.eventCount)
      var traits: Int64 = 0
      for index in start..<wordEnd {
        let word = words[index]
        let kind = UInt8(truncatingIfNeeded: (word & GroupedEvents.traitMask) >> 1)
        session.pageViewCount &+= kind == EventKind.pageView.rawValue ? 1 : 0
        session.addToCartCount &+= kind == EventKind.addToCart.rawValue ? 1 : 0
        session.purchaseCount &+= kind == EventKind.purchase.rawValue ? 1 : 0
        session.searchCount &+= kind == EventKind.search.rawValue ? 1 : 0
        traits |= word
      }
      session.isIdentified = traits & 1 == 1
      wordEnd = start
      return session
    }
  }

  /// Merges all clusters of a visitor.
  @inline(__always)
  private func add(_ merge: inout Merge, visitor: Int32) {
    var (previous, next) = (Self.none, heads.base[Int(visitor)])
    while merge.hasCluster(of: visitor, endingFrom: .min) {
      var session = merge.takeCluster()
      while next != Self.none, entries.base[Int(next)].session.first > session.last &+ gap {
        (previous, next) = (next, entries.base[Int(next)].next)
      }
      let kept = absorb(into: &session, from: &next, &merge)
      let entry = kept == Self.none ? newEntry() : kept
      if kept == Self.none {
        count += 1
        merge.change.created &+= 1
      } else {
        merge.change.extended &+= 1
      }
      entries.base[Int(entry)] = Entry(session: session, standing: .changed, next: next)
      link(entry, after: previous, of: visitor)
      previous = entry
    }
  }

  /// Takes in what is in reach before the session, until nothing is.
  ///
  /// The first entry taken in remains for the session, which is returned; `none` without one.
  @inline(__always)
  private func absorb(
    into session: inout Session, from next: inout Int32, _ merge: inout Merge
  ) -> Int32 {
    var kept = Self.none
    while true {
      let reach = session.first &- gap
      if next != Self.none, entries.base[Int(next)].session.last >= reach {
        let entry = entries.base[Int(next)]
        session.absorb(entry.session)
        if kept == Self.none {
          kept = next
        } else {
          free(next)
          merge.change.merged &+= 1
        }
        next = entry.next
      } else if merge.hasCluster(of: session.visitor, endingFrom: reach) {
        session.absorb(merge.takeCluster())
      } else {
        return kept
      }
    }
  }
}
