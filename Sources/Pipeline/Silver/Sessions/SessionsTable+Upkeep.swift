internal import DeltaLake
internal import DurableIO

/// What a compaction did.
struct SessionsCompaction: Equatable {
  var removedFiles = 0
  var removedBytes: Int64 = 0
  var addedFiles = 0
  var addedBytes: Int64 = 0
}

extension SessionsTable {
  /// Joins final files that have become many: 16 of about the same size become few.
  ///
  /// A session is rewritten once for each size that its file grows through, so that the work stays
  /// proportional to the new sessions. Changes no row, `updated_at` included.
  /// - Parameters:
  ///   - namePrefix: a start of file names that the query's sweep of orphans knows.
  ///   - now: milliseconds since 1970.
  /// - Returns: nil when nothing was due. One call joins 16 files; the caller may go on.
  /// - Throws: `SystemError`, `ParquetError`, `DeltaError`, `PipelineError`; the table is as
  ///   before, or, after an error of the commit, compacted: `reload` tells.
  func compactIfDue(namePrefix: String, now: Int64) throws -> SessionsCompaction? {
    let candidates =
      unjoinable.isEmpty ? final : final.filter { !unjoinable.contains($0.add.path) }
    guard let files = Self.filesToJoin(candidates) else { return nil }
    let writer = SessionFilesWriter(writing(namePrefix), isFinal: true, limits: .cold)
    guard let adds = try join(files, writer) else { return nil }
    let removes = files.map { $0.add.removal(at: now, dataChange: false) }
    let done = SessionsCompaction(
      removedFiles: removes.count, removedBytes: files.reduce(0) { $0 + $1.add.size },
      addedFiles: adds.count, addedBytes: adds.reduce(0) { $0 + $1.size })
    let result = try table.commit(
      removes.map(Action.remove) + adds.map(Action.add),
      info: .compaction(adds, replacing: files.map(\.add), timestampMs: now),
      expecting: indexedVersion, publisher: publisher, role: .sessionsCommit)
    guard case .committed = result else {
      writer.discard()
      throw PipelineError.conflict(result, in: table)
    }
    try apply(adds: adds, removes: removes, parkedAfter: .max)
    return done
  }

  /// Nil when the files would hardly become fewer: rows of very long names fill a file each.
  private func join(
    _ files: [SessionFile], _ writer: SessionFilesWriter
  ) throws -> [AddFile]? {
    do {
      let cursors = try files.map { try SessionCursor(SessionFileReader($0, of: table)) }
      try writer.merge(cursors)
      let adds = try writer.finish()
      guard adds.count <= files.count * 3 / 4 else {
        writer.discard()
        unjoinable.formUnion(files.map(\.add.path))
        return nil
      }
      return adds.map { add in
        var add = add
        add.dataChange = false
        return add
      }
    } catch {
      writer.discard()
      throw error
    }
  }

  // MARK: Choosing

  private static let joinedFiles = 16
  /// A tier that has so many files is compacted even if they lie far apart in time.
  private static let patience = 64
  /// Larger files stay as they are: two of them would not make one.
  private static let joinedFileBytes = SessionFilesWriter.Limits.cold.fileBytes / 2

  /// 16 files of one tier that follow each other in time; nil when none are due.
  ///
  /// Of the runs of 16 the one that spans the shortest time is taken, and rather late than across
  /// a void: sessions of long ago that came late should not get into the files of today, which
  /// would then be opened for any time between.
  static func filesToJoin(_ files: [SessionFile]) -> [SessionFile]? {
    var tiers: [Int: [SessionFile]] = [:]
    for file in files where file.size < joinedFileBytes {
      tiers[tier(of: file.size), default: []].append(file)
    }
    for (_, tier) in tiers.sorted(by: { $0.key < $1.key }) where tier.count >= joinedFiles {
      let ordered = tier.sorted { $0.firsts.lowerBound < $1.firsts.lowerBound }
      let runs = (0...ordered.count - joinedFiles).map { ordered[$0..<$0 + joinedFiles] }
      guard let best = runs.min(by: { span($0) < span($1) }) else { continue }
      if tier.count >= patience || isDense(best) { return Array(best) }
    }
    return nil
  }

  /// Tiers grow by the factor by which a compaction makes a file larger.
  private static func tier(of size: Int) -> Int {
    var (tier, rest) = (0, size)
    while rest >= joinedFiles {
      rest /= joinedFiles
      tier += 1
    }
    return tier
  }

  private static func span(_ files: some Sequence<SessionFile>) -> Int64 {
    var (start, end) = (Int64.max, Int64.min)
    for file in files {
      start = min(start, file.firsts.lowerBound)
      end = max(end, file.lasts.upperBound)
    }
    return end.clampedSubtracting(start)
  }

  /// Whether files cover a good part of the time that they span together, or it is short.
  private static func isDense(_ files: some Sequence<SessionFile>) -> Bool {
    let day: Int64 = 86_400_000_000
    let covered = files.reduce(0 as Int64) { $0.clampedAdding(span(CollectionOfOne($1))) }
    return span(files) <= covered.clampedMultiplied(by: 8).clampedAdding(day)
  }

  // MARK: Vacuum

  /// Removes the files that left the table longer ago than its retention, at most once in a tenth
  /// of it.
  ///
  /// - Parameter now: milliseconds since 1970.
  /// - Returns: the removed files, relative to the table.
  /// - Throws: `DeltaError`, `SystemError`; a later call goes on.
  func vacuumIfDue(now: Int64) throws -> [String] {
    let retention = configuration.silver.removedFileRetention.wholeMilliseconds
    if let lastVacuum, (0..<retention / 10).contains(now - lastVacuum) { return [] }
    let removed = try table.vacuum(
      keepingFrom: table.snapshot.version, retention: retention, now: now, sparing: [])
    lastVacuum = now
    return removed
  }
}
