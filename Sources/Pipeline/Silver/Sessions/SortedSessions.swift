internal import Clickstream

/// The sessions of a set by the place where each is kept, sorted by first event.
struct SortedSessions {
  var hot: [Session] = []
  var parked: [Session] = []
  var final: [Session] = []
  /// Not final yet, but so for the next batch; only filled when asked for.
  var quiet: [Session] = []
  /// How many hot sessions are as the hot file has them.
  private(set) var unchangedHotCount = 0
  private(set) var counts = StagedSessions.Counts()

  /// - Parameters:
  ///   - timestamp: becomes `updatedAt` of the sessions that are final from now on.
  ///   - asideOnly: sort what leaves memory, and leave the hot sessions out.
  init(
    _ set: SessionSet, _ placement: SessionPlacement, _ taken: TakenFinals, timestamp: Int64,
    asideOnly: Bool = false
  ) {
    set.forEach { session, standing in
      switch placement.place(of: session) {
      case .hot where placement.isQuiet(session): quiet.append(session)
      case .hot where asideOnly: break
      case .hot:
        hot.append(session)
        if standing == .stored { unchangedHotCount += 1 }
      case .parked: parked.append(session)
      case .final:
        var session = session
        if !taken.contains(within: session) {
          counts.becameFinal += 1
          session.updatedAt = timestamp
        }
        final.append(session)
      }
    }
    (counts.hot, counts.parked) = (hot.count, parked.count)
    Self.sort(&hot)
    Self.sort(&parked)
    Self.sort(&final)
    Self.sort(&quiet)
  }

  /// Sorts small keys and moves each session once.
  private static func sort(_ sessions: inout [Session]) {
    guard sessions.count > 1 else { return }
    var keys = sessions.indices.map { (first: sessions[$0].first, index: Int32($0)) }
    keys.sort { $0.first < $1.first }
    sessions = keys.map { sessions[Int($0.index)] }
  }
}

/// The sessions that were final before the batch.
struct TakenFinals {
  private let taken: [SessionsBatch.TakenFinal]

  init(_ taken: [SessionsBatch.TakenFinal]) {
    self.taken = taken.sorted { ($0.visitor, $0.first) < ($1.visitor, $1.first) }
  }

  /// Whether a session that was final is part of this one.
  func contains(within session: Session) -> Bool {
    guard !taken.isEmpty else { return false }
    let index = taken.partitioningIndex {
      ($0.visitor, $0.first) >= (session.visitor, session.first)
    }
    return index < taken.count && taken[index].visitor == session.visitor
      && taken[index].last <= session.last
  }
}
