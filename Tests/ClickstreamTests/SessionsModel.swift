import Clickstream

/// An event as the tests of the sessions make it up.
struct ModelEvent: Hashable {
  var visitor: String
  var time: Int64
  var kind: EventKind
  var isIdentified: Bool
}

/// A session without the parts that depend on how the events arrived.
struct ModelSession: Hashable {
  var visitor: String
  var first: Int64
  var last: Int64
  var counts: [Int32]
  var isIdentified: Bool
}

/// Sessions the slow way: sort each visitor's events, cut where the pause is longer than the gap.
func naiveSessions(_ events: [ModelEvent], gap: Int64) -> Set<ModelSession> {
  var result: Set<ModelSession> = []
  for (visitor, own) in Dictionary(grouping: events, by: \.visitor) {
    var open: [ModelEvent] = []
    for event in own.sorted(by: { $0.time < $1.time }) {
      if let last = open.last, event.time - last.time > gap {
        result.insert(session(visitor, open))
        open.removeAll()
      }
      open.append(event)
    }
    result.insert(session(visitor, open))
  }
  return result
}

private func session(_ visitor: String, _ events: [ModelEvent]) -> ModelSession {
  func count(_ kind: EventKind) -> Int32 { Int32(events.count { $0.kind == kind }) }
  let times = events.map(\.time)
  return ModelSession(
    visitor: visitor, first: times.min() ?? 0, last: times.max() ?? 0,
    counts: [
      Int32(events.count), count(.pageView), count(.addToCart), count(.purchase), count(.search),
    ],
    isIdentified: events.contains(where: \.isIdentified))
}

extension VisitorTable {
  func id(_ name: String) -> Int32 { Array(name.utf8).withUnsafeBytes { id(of: $0) } }

  func name(_ visitor: Int32) -> String {
    withBytes(of: visitor) { String(decoding: $0, as: UTF8.self) }
  }
}

extension EventRows {
  func append(_ event: ModelEvent, hash: UInt64 = 0, offset: Int64 = 0, ingestedAt: Int64 = 0) {
    append(
      visitor: visitors.id(event.visitor), isIdentified: event.isIdentified, kind: event.kind,
      time: event.time, eventIDHash: hash,
      position: SourcePosition(ingestedAt: ingestedAt, partition: 0, offset: offset))
  }

  convenience init(_ events: [ModelEvent], visitors: VisitorTable = VisitorTable()) {
    self.init(visitors: visitors)
    for event in events { append(event) }
  }

  func grouped(gap: Int64) -> GroupedEvents {
    GroupedEvents(self, survivors: Array(repeating: true, count: count), gap: gap)
  }
}

extension SessionSet {
  var asModel: Set<ModelSession> {
    var result: Set<ModelSession> = []
    forEach { session, _ in
      let new = result.insert(model(of: session)).inserted
      precondition(new, "no session is there twice")
    }
    return result
  }

  func model(of session: Session) -> ModelSession {
    ModelSession(
      visitor: visitors.name(session.visitor), first: session.first, last: session.last,
      counts: [
        session.eventCount, session.pageViewCount, session.addToCartCount,
        session.purchaseCount, session.searchCount,
      ],
      isIdentified: session.isIdentified)
  }

  var all: [Session] {
    var sessions: [Session] = []
    forEach { session, _ in sessions.append(session) }
    return sessions
  }

  @discardableResult
  func add(_ events: [ModelEvent], updatedAt: Int64 = 0) -> Change {
    add(EventRows(events, visitors: visitors).grouped(gap: gap), updatedAt: updatedAt)
  }
}

extension TestRandom {
  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

  /// Events whose pauses are mostly nothing, the gap, or a microsecond off it.
  mutating func history(count: Int, visitors: Int, gap: Int64) -> [ModelEvent] {
    let origins = [-62_135_596_800_000_000, 0, 1_769_904_000_000_000, 253_402_300_700_000_000]
    let origin = Int64(origins[below(4)])
    let edges = [0, 0, 1, gap / 2, gap - 1, gap, gap + 1, gap * 2, gap * 40]
    let kinds = [EventKind.pageView, .addToCart, .purchase, .search, .other]
    var time = origin
    return (0..<count).map { _ in
      if below(20) == 0 { time = origin + Int64(below(20)) * gap }
      time = min(time + edges[below(edges.count)], 253_402_300_799_999_999)
      return ModelEvent(
        visitor: "v\(below(visitors))", time: time, kind: kinds[below(5)],
        isIdentified: below(3) == 0)
    }
  }
}
