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
    try stageFinal(sorted.final, set.visitors, &staged)
    sorted.final = []
    let nearUntil = parkedAfter.clampedAdding(Self.nearFuture)
    try stageParked(sorted.parked, nearUntil: nearUntil, set.visitors, &staged)
    staged.bytesRead = bytesRead
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

  // MARK: Final

  private func stageFinal(
    _ added: [Session], _ visitors: VisitorTable, _ staged: inout StagedSessions
  ) throws {
    let files = touched.values.filter { $0.file.isFinal }
    try stageCold(files, added, joining: [], isFinal: true, visitors, &staged)
  }

  // MARK: Parked

  /// Parked sessions that begin within a day are kept apart from later ones: their files are
  /// rewritten soon and often.
  private static let nearFuture: Int64 = 86_400_000_000
  /// A smaller parked file is written anew with what is added, so that their number is bounded by
  /// the sessions that are parked, not by the batches that park one.
  private static let smallFileBytes = 1 << 20
  /// How many files are open at once.
  private static let joinedFiles = 32

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
      try stageCold(own, Array(added), joining: joined, isFinal: false, visitors, &staged)
    }
  }

  // MARK: Cold files

  /// Rewrites files without the rows that were taken, and adds sessions.
  ///
  /// - Parameters:
  ///   - files: rewritten one by one; each takes in what is added within its time.
  ///   - added: sorted by first event.
  ///   - joined: written anew together with what is left of `added`.
  private func stageCold(
    _ files: [TouchedFile], _ added: [Session], joining joined: [TouchedFile], isFinal: Bool,
    _ visitors: VisitorTable, _ staged: inout StagedSessions
  ) throws {
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
    rest += added[next...]
    if !rest.isEmpty || !joined.isEmpty {
      try rewrite(joined, rest[...], isFinal: isFinal, visitors, &staged)
    }
  }

  private func rewrite(
    _ files: [TouchedFile], _ added: ArraySlice<Session>, isFinal: Bool, _ visitors: VisitorTable,
    _ staged: inout StagedSessions
  ) throws {
    try write(isFinal: isFinal, limits: .cold, &staged) { writer in
      let cursors = try files.compactMap { touched -> SessionCursor? in
        // Nothing has to be read of a file that is empty now.
        if let rows = touched.file.rows, rows == touched.taken.count { return nil }
        let reader = try SessionFileReader(touched.file, of: sessions.table)
        return try SessionCursor(reader, skipping: touched.taken)
      }
      try writer.merge(cursors, added, visitors)
      for cursor in cursors { noteRead(cursor.bytesRead) }
    }
    for touched in files {
      staged.removes.append(removal(touched.file))
      staged.bytesRewritten += touched.file.size
    }
  }

  private func write(
    isFinal: Bool, limits: SessionFilesWriter.Limits, _ staged: inout StagedSessions,
    _ body: (SessionFilesWriter) throws -> Void
  ) throws {
    let writer = SessionFilesWriter(sessions.writing(namePrefix), isFinal: isFinal, limits: limits)
    writers.append(writer)
    try body(writer)
    staged.adds += try writer.finish()
  }

  private func removal(_ file: SessionFile) -> RemoveFile {
    file.add.removal(at: timestampMs, dataChange: true)
  }
}
