internal import Clickstream
internal import DeltaLake

extension SessionsBatch {
  /// Decides where every session of the set is kept, and stages the files for it.
  ///
  /// The hot file is written anew if it changed. What became final or parked goes into a rewritten
  /// file where the time fits, else into a new one. The set is not changed: after the commit its
  /// owner drops the sessions that are not hot any more (`SessionPlacement`).
  /// - Parameters:
  ///   - set: all sessions of the hot files, and what was taken.
  ///   - storedHotCount: how many sessions of the set the hot files held before the batch.
  /// - Returns: the files, durable and named by nobody.
  /// - Throws: `SystemError`, `ParquetError`, `PipelineError`; call `discard()` then.
  func finish(
    _ set: SessionSet, watermark: Int64, gap: Int64, parkedAfter: Int64, storedHotCount: Int
  ) throws -> StagedSessions {
    precondition(
      takenDue.map { $0 == (parkedAfter, watermark) } ?? sessions.parked.isEmpty,
      "parked sessions that are due are taken before a batch is finished")
    let placement = SessionPlacement(watermark: watermark, gap: gap, parkedAfter: parkedAfter)
    var staged = StagedSessions()
    var sorted = SortedSessions(set, placement, TakenFinals(takenFinal), timestamp: timestamp)
    staged.counts = sorted.counts
    if sorted.unchangedHotCount != storedHotCount || sorted.unchangedHotCount != sorted.hot.count {
      try stageHot(sorted.hot, set.visitors, &staged)
    }
    sorted.hot = []
    let past = watermark.clampedSubtracting(Self.day)
    try stageFinal(sorted.final, recentFrom: past, set.visitors, &staged)
    sorted.final = []
    let nearUntil = parkedAfter.clampedAdding(Self.day)
    try stageParked(sorted.parked, nearUntil: nearUntil, set.visitors, &staged)
    try stageQuiet(&staged)
    try stageAside(&staged)
    return staged
  }

  private func stageHot(
    _ hot: [Session], _ visitors: VisitorTable, _ staged: inout StagedSessions
  ) throws {
    try write(isFinal: false, limits: sessions.hotLimits, &staged) { writer in
      for session in hot { try writer.append(session, visitors) }
    }
    staged.removes += sessions.hot.map(removal)
  }

  // MARK: Quiet

  /// Sessions that were not worth memory any more are final by now: their rows go from file to
  /// file.
  private func stageQuiet(_ staged: inout StagedSessions) throws {
    let files = sessions.quiet.sorted { $0.firsts.lowerBound < $1.firsts.lowerBound }
      .map { touched[$0.add.path] ?? TouchedFile($0) }
    for start in stride(from: 0, to: files.count, by: Self.joinedFiles) {
      let joined = Array(files[start..<min(start + Self.joinedFiles, files.count)])
      try rewrite(joined, [], isFinal: true, timestamp: timestamp, nil, &staged)
      for touched in joined {
        staged.counts.becameFinal += Int(touched.file.rows ?? 0) - touched.taken.count
      }
    }
  }

  // MARK: Final

  /// Sessions of long ago, which wrong clocks send all the time, get a file of their own: in a
  /// file with those of today they would let it seem to hold sessions of any time between.
  private func stageFinal(
    _ added: [Session], recentFrom: Int64, _ visitors: VisitorTable,
    _ staged: inout StagedSessions
  ) throws {
    let files = touched.values.filter { $0.file.isFinal }
    let rest = try rewrite(files, addingFrom: added, isFinal: true, visitors, &staged)
    let boundary = rest.partitioningIndex { $0.first >= recentFrom }
    for part in [rest[..<boundary], rest[boundary...]] where !part.isEmpty {
      try rewrite([], part, isFinal: true, visitors, &staged)
    }
  }

  // MARK: Parked

  private static let day: Int64 = 86_400_000_000
  /// A smaller parked file is written anew with what is added, so that their number is bounded by
  /// the sessions that are parked, not by the batches that park one.
  private static let smallFileBytes = 1 << 20
  /// How many files are open at once.
  private static let joinedFiles = 32

  /// Sessions that begin within a day are kept apart from later ones: their files are rewritten
  /// soon and often.
  private func stageParked(
    _ added: [Session], nearUntil: Int64, _ visitors: VisitorTable, _ staged: inout StagedSessions
  ) throws {
    let boundary = added.partitioningIndex { $0.first > nearUntil }
    let near = sessions.parked.filter { $0.firsts.lowerBound <= nearUntil }
    let far = sessions.parked.filter { $0.firsts.lowerBound > nearUntil }
    for (files, added) in [(near, added[..<boundary]), (far, added[boundary...])] {
      var own = files.compactMap { touched[$0.add.path] }
      guard !own.isEmpty || !added.isEmpty else { continue }
      let small = files.filter { $0.size < Self.smallFileBytes }.prefix(Self.joinedFiles)
      let joined = small.map { touched[$0.add.path] ?? TouchedFile($0) }
      own.removeAll { file in joined.contains { $0 === file } }
      let rest = try rewrite(
        own, addingFrom: Array(added), isFinal: false, visitors, &staged)
      if !rest.isEmpty || joined.contains(where: { $0.taken.count > 0 }) {
        try rewrite(joined, rest[...], isFinal: false, visitors, &staged)
      }
    }
  }

  // MARK: Cold files

  /// Rewrites files one by one, without the rows that were taken and with what is added within
  /// their time.
  ///
  /// - Parameter added: sorted by first event.
  /// - Returns: what is added outside of all of them.
  private func rewrite(
    _ files: [TouchedFile], addingFrom added: [Session], isFinal: Bool, _ visitors: VisitorTable,
    _ staged: inout StagedSessions
  ) throws -> [Session] {
    var rest: [Session] = []
    var next = 0
    for touched in files.sorted(by: { $0.file.firsts.lowerBound < $1.file.firsts.lowerBound }) {
      var claimed = next..<next
      if touched.file.isBounded {
        let range = touched.file.firsts
        let start = max(next, added.partitioningIndex { $0.first >= range.lowerBound })
        let end = max(start, added.partitioningIndex { $0.first > range.upperBound })
        claimed = start..<end
        rest += added[next..<start]
        next = end
      }
      try rewrite([touched], added[claimed], isFinal: isFinal, visitors, &staged)
    }
    return rest + added[next...]
  }

  /// Writes the rows of files that were not taken, and sessions, as one.
  private func rewrite(
    _ files: [TouchedFile], _ added: ArraySlice<Session>, isFinal: Bool, timestamp: Int64? = nil,
    _ visitors: VisitorTable?, _ staged: inout StagedSessions
  ) throws {
    try write(isFinal: isFinal, limits: .cold, &staged) { writer in
      let cursors = try files.compactMap { touched -> SessionCursor? in
        // Nothing has to be read of a file that is empty now.
        if touched.isEmpty { return nil }
        let reader = try SessionFileReader(touched.file, of: sessions.table)
        return try SessionCursor(reader, skipping: touched.taken, timestamp: timestamp)
      }
      if let visitors {
        try writer.merge(cursors, added, visitors)
      } else {
        try writer.merge(cursors)
      }
    }
    staged.removes += files.map { removal($0.file) }
  }

  /// Stages what `body` appends in files of one partition.
  func write(
    isFinal: Bool, limits: SessionFilesWriter.Limits, _ staged: inout StagedSessions,
    _ body: (SessionFilesWriter) throws -> Void
  ) throws {
    let writer = SessionFilesWriter(sessions.writing(namePrefix), isFinal: isFinal, limits: limits)
    writers.append(writer)
    try body(writer)
    staged.adds += try writer.finish()
  }

  private func removal(_ file: SessionFile) -> RemoveFile {
    // The clock, not the batch: a replayed batch is old, and its tombstones must not look so.
    file.add.removal(at: max(timestampMs, wallClockMilliseconds()), dataChange: true)
  }
}
