/// The sessions that a batch may change, with those of the hot file.
///
/// The sessions of a visitor form a list from the newest to the oldest. Invariant: two of them are
/// more than the gap apart, so the order of their beginnings is the order of their ends.
package final class SessionSet {
  /// How a session stands to the tables on disk.
  package enum Standing: UInt8, Sendable, BitwiseCopyable {
    /// As the hot file has it.
    case stored
    case changed
  }

  struct Entry: BitwiseCopyable {
    var session: Session
    var standing: Standing
    /// The next older session of the visitor, or the next free entry.
    var next: Int32
  }

  static let none: Int32 = -1
  /// Steps that `insert` searches a place for before it leaves a list to be sorted.
  private static let patience = 16

  package let visitors: VisitorTable
  /// A longer pause separates sessions: microseconds.
  package let gap: Int64
  /// How many sessions there are.
  package internal(set) var count = 0
  @exclusivity(unchecked) var entries = GrowableBuffer<Entry>()
  /// The newest session of each visitor.
  @exclusivity(unchecked) var heads = GrowableBuffer<Int32>()
  var firstFree = SessionSet.none
  /// Visitors whose lists are to be sorted before they are searched.
  private var unsorted: Set<Int32> = []

  /// A set without sessions; `gap` is at most a day in microseconds.
  package init(visitors: VisitorTable, gap: Int64) {
    precondition((0...86_400_000_000).contains(gap), "a gap is at most a day")
    (self.visitors, self.gap) = (visitors, gap)
  }

  /// Bytes of memory held, without the visitors.
  package var byteCount: Int { entries.byteCount + heads.byteCount }

  // MARK: Sessions in and out

  /// Adds a session that is out of reach of the visitor's others, such as one read from a file.
  package func insert(_ session: Session, _ standing: Standing) {
    precondition(
      session.visitor >= 0 && Int(session.visitor) < visitors.count,
      "a session's visitor is one of the set's table")
    coverVisitors()
    let entry = newEntry()
    var (previous, next) = (Self.none, heads.base[Int(session.visitor)])
    var patience = Self.patience
    while next != Self.none, entries.base[Int(next)].session.first > session.first {
      if patience == 0 {
        unsorted.insert(session.visitor)
        (previous, next) = (Self.none, heads.base[Int(session.visitor)])
        break
      }
      patience &-= 1
      (previous, next) = (next, entries.base[Int(next)].next)
    }
    entries.base[Int(entry)] = Entry(session: session, standing: standing, next: next)
    link(entry, after: previous, of: session.visitor)
    count += 1
  }

  /// The visitor's session in whose time from first to last event `time` lies.
  package func session(of visitor: Int32, at time: Int64) -> Session? {
    guard let entry = entry(of: visitor, notAfter: time) else { return nil }
    let session = entries.base[Int(entry)].session
    return session.last >= time ? session : nil
  }

  /// Replaces the session of the same visitor and first event, which is there, and marks it.
  package func update(_ session: Session) {
    guard let entry = entry(of: session.visitor, notAfter: session.first),
      entries.base[Int(entry)].session.first == session.first
    else { preconditionFailure("an updated session is in the set, with the same first event") }
    entries.base[Int(entry)].session = session
    entries.base[Int(entry)].standing = .changed
  }

  /// Calls `body` with each session, in no order that means anything.
  package func forEach(_ body: (Session, Standing) throws -> Void) rethrows {
    for index in 0..<entries.count {
      let entry = entries.base[index]
      if entry.session.visitor != Self.none { try body(entry.session, entry.standing) }
    }
  }

  /// Removes the sessions for which `condition` holds.
  package func removeAll(where condition: (Session) throws -> Bool) rethrows {
    for visitor in 0..<heads.count {
      var (previous, next) = (Self.none, heads.base[visitor])
      while next != Self.none {
        let entry = entries.base[Int(next)]
        if try condition(entry.session) {
          free(next)
          link(entry.next, after: previous, of: Int32(truncatingIfNeeded: visitor))
        } else {
          previous = next
        }
        next = entry.next
      }
    }
  }

  /// Says that the hot file has every session as it is here.
  package func markStored() {
    for index in 0..<entries.count { entries.base[index].standing = .stored }
  }

  /// The same sessions over a new table that holds only their visitors.
  package func rebuilt() -> SessionSet {
    sortLists()
    let fresh = SessionSet(visitors: VisitorTable(), gap: gap)
    fresh.entries.reserve(count)
    var list: [Int32] = []
    for visitor in 0..<heads.count where heads.base[visitor] != Self.none {
      list.removeAll(keepingCapacity: true)
      collect(Int32(truncatingIfNeeded: visitor), into: &list)
      let moved = visitors.withBytes(of: Int32(truncatingIfNeeded: visitor)) {
        fresh.visitors.id(of: $0)
      }
      for entry in list.reversed() {
        var session = entries.base[Int(entry)].session
        session.visitor = moved
        fresh.insert(session, entries.base[Int(entry)].standing)
      }
    }
    return fresh
  }

  // MARK: Lists

  /// Gives each visitor of the table a list.
  func coverVisitors() {
    let missing = visitors.count - heads.count
    if missing > 0 { heads.append(repeating: Self.none, count: missing) }
  }

  /// An entry to fill, a freed one first.
  @inline(__always)
  func newEntry() -> Int32 {
    if firstFree != Self.none {
      let entry = firstFree
      firstFree = entries.base[Int(entry)].next
      return entry
    }
    precondition(entries.count < Int(Int32.max), "sessions are numbered in 31 bits")
    entries.append(
      Entry(
        session: Session(visitor: Self.none, first: 0, last: 0, updatedAt: 0), standing: .stored,
        next: Self.none))
    return Int32(truncatingIfNeeded: entries.count &- 1)
  }

  func free(_ entry: Int32) {
    entries.base[Int(entry)].session.visitor = Self.none
    entries.base[Int(entry)].next = firstFree
    firstFree = entry
    count -= 1
  }

  /// Makes `entry` the one after `previous`, or the newest of the visitor.
  @inline(__always)
  func link(_ entry: Int32, after previous: Int32, of visitor: Int32) {
    if previous == Self.none {
      heads.base[Int(visitor)] = entry
    } else {
      entries.base[Int(previous)].next = entry
    }
  }

  /// The visitor's newest session that began at `time` or before.
  private func entry(of visitor: Int32, notAfter time: Int64) -> Int32? {
    guard visitor >= 0, Int(visitor) < heads.count else { return nil }
    sortLists()
    var entry = heads.base[Int(visitor)]
    while entry != Self.none, entries.base[Int(entry)].session.first > time {
      entry = entries.base[Int(entry)].next
    }
    return entry == Self.none ? nil : entry
  }

  private func collect(_ visitor: Int32, into list: inout [Int32]) {
    var entry = heads.base[Int(visitor)]
    while entry != Self.none {
      list.append(entry)
      entry = entries.base[Int(entry)].next
    }
  }

  /// Sorts the lists that `insert` left unsorted.
  func sortLists() {
    guard !unsorted.isEmpty else { return }
    var list: [Int32] = []
    for visitor in unsorted {
      list.removeAll(keepingCapacity: true)
      collect(visitor, into: &list)
      list.sort {
        entries.base[Int($0)].session.first > entries.base[Int($1)].session.first
      }
      var previous = Self.none
      for entry in list {
        link(entry, after: previous, of: visitor)
        previous = entry
      }
      link(Self.none, after: previous, of: visitor)
    }
    unsorted.removeAll()
  }
}
