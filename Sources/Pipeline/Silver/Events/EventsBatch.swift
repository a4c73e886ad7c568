internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Parquet

/// What a batch does to the events table, staged and named by no commit.
struct StagedEvents {
  var adds: [AddFile]
  var removes: [RemoveFile]
  /// Of the files that were written anew without a replaced row.
  var bytesRewritten: Int64
  /// What look-ups read of data files.
  var bytesRead: Int64
}

/// Which rows of a slice are unique events.
struct Decision {
  /// By row of the slice.
  var survivors: [Bool]
  /// Rows that are not unique events, replaced stored ones included: what the table grows by is the
  /// slice's rows less these.
  var duplicateCount = 0
  /// Stored rows that turned out to be the duplicates of new ones.
  var corrections: [Correction] = []

  struct Correction: Equatable {
    /// The survivor's row in the slice.
    var row: Int32
    /// What the replaced row counted as.
    var oldKind: EventKind
    var oldIsIdentified: Bool
  }
}

/// A batch of the events table: slice by slice `decide`, then `write`, and `finish` at the end.
///
/// What earlier slices wrote counts as stored. Until a commit names the staged files nothing is
/// visible. After an error, and instead of a commit, call `discard()`.
final class EventsBatch {
  let table: EventsTable
  let batchPrefix: String
  private let timestampMs: Int64
  private var outputs: [Place: EventsOutput] = [:]
  /// Complete files of this batch, in the order of their writing.
  private var staged: [AddFile] = []
  private var stagedFiles: [String: EventFile] = [:]
  /// The rows that new ones took the place of, by path and number in the file.
  private var replaced: [String: Set<Int>] = [:]
  private var bytesRead: Int64 = 0
  private var hasFingerprints = false

  /// Where a row goes by its time, so that single rows do not widen the times of a whole file.
  enum Place: Hashable { case main, late, early, rewritten(asideMark: String) }

  init(_ table: EventsTable, batchPrefix: String, timestampMs: Int64) {
    self.table = table
    self.batchPrefix = batchPrefix
    self.timestampMs = timestampMs
  }
}

// MARK: Deciding

extension EventsBatch {
  /// Finds the rows that are unique events.
  ///
  /// - Parameter rows: the keys of all rows of `slice`.
  /// - Throws: what reading files throws.
  func decide(_ rows: EventRows, _ slice: BronzeSlice) throws -> Decision {
    var decision = Decision(survivors: [Bool](repeating: true, count: rows.count))
    try dropDuplicates(within: slice, rows, &decision)
    let candidates = candidates(rows, decision.survivors)
    if !candidates.isEmpty {
      let eventIDs = try slice.eventIDs(of: candidates)
      try lookUp(EventCandidates(candidates, of: rows, eventIDs: eventIDs), rows, &decision)
    }
    return decision
  }

  private func dropDuplicates(
    within slice: BronzeSlice, _ rows: EventRows, _ decision: inout Decision
  ) throws {
    let suspects = SliceDuplicates.suspects(in: rows)
    guard !suspects.isEmpty else { return }
    let eventIDs = try slice.eventIDs(of: suspects)
    for loser in SliceDuplicates.losers(in: rows, suspects: suspects, eventID: { eventIDs[$0] }) {
      decision.survivors[Int(loser)] = false
      decision.duplicateCount += 1
    }
  }

  /// Rows that the cache knows, or knows nothing of, at a time that a file may hold.
  private func candidates(_ rows: EventRows, _ survivors: [Bool]) -> [Int32] {
    let suspects = table.cache.suspects(in: rows)
    guard !suspects.isEmpty else { return [] }
    let stored = TimeRanges(
      table.files.values.map(\.times) + stagedFiles.values.map(\.times)
        + outputs.values.compactMap(\.openTimes))
    return suspects.filter { survivors[Int($0)] && stored.contains(rows.time(Int($0))) }
  }

  private func lookUp(
    _ candidates: EventCandidates, _ rows: EventRows, _ decision: inout Decision
  ) throws {
    try seal { candidates.mayBe(in: $0) }
    for file in files(where: { candidates.mayBe(in: $0) }) {
      try forEachRowGroup(of: file) { group, firstRow in
        guard candidates.mayBe(in: group.times) else { return }
        let hits = try hits(candidates, group, without: replaced[file.add.path], firstRow)
        guard !hits.isEmpty else { return }
        let keys = try StoredKeys(group)
        let positions = try StoredPositions(group)
        for hit in hits {
          guard let row = candidates.row(equal: keys, hit), decision.survivors[row] else {
            continue
          }
          decision.duplicateCount += 1
          // Of the same event the row with the smallest position stays.
          guard rows.position(row) < (try positions.position(hit)) else {
            decision.survivors[row] = false
            continue
          }
          replaced[file.add.path, default: []].insert(firstRow + hit)
          decision.corrections.append(
            Decision.Correction(
              row: Int32(row), oldKind: try group.kind(hit),
              oldIsIdentified: keys.isIdentified(hit)))
        }
      }
    }
  }

  /// The rows of a row group that have a candidate's time.
  private func hits(
    _ candidates: EventCandidates, _ group: StoredRows, without replaced: Set<Int>?,
    _ firstRow: Int
  ) throws -> [Int] {
    let times = try group.column("event_ts")
    return (0..<group.rowCount).filter { row in
      guard let time = times.integer(row), candidates.has(time: time) else { return false }
      return replaced?.contains(firstRow + row) != true
    }
  }

  /// Calls `body` for each stored event of a visitor in a range of times, as the table will be
  /// after this batch: what was written so far counts, replaced rows do not.
  ///
  /// For the recount of a session after a replacement; reads every row group with such times.
  func forEachEvent(
    of visitor: UnsafeRawBufferPointer, in range: ClosedRange<Int64>,
    _ body: (_ time: Int64, _ kind: EventKind, _ isIdentified: Bool) throws -> Void
  ) throws {
    try seal { $0.overlaps(range) }
    for file in files(where: { $0.overlaps(range) }) {
      try forEachRowGroup(of: file) { group, firstRow in
        guard group.times.overlaps(range) else { return }
        let keys = try StoredKeys(group)
        let replaced = replaced[file.add.path] ?? []
        for row in 0..<group.rowCount where !replaced.contains(firstRow + row) {
          guard let time = keys.time(row), range.contains(time),
            keys.withVisitor(row, { $0.elementsEqual(visitor) }) == true
          else { continue }
          try body(time, try group.kind(row), keys.isIdentified(row))
        }
      }
    }
  }

  /// Stored and staged files, in an order that does not depend on hashing.
  private func files(where fits: (ClosedRange<Int64>) -> Bool) -> [EventFile] {
    (table.files.values.filter { fits($0.times) } + stagedFiles.values.filter { fits($0.times) })
      .sorted { $0.add.path < $1.add.path }
  }

  private func forEachRowGroup(
    of file: EventFile, _ body: (_ rows: StoredRows, _ firstRow: Int) throws -> Void
  ) throws {
    let reader = try table.table.openFile(file.add)
    var firstRow = 0
    for rowGroup in 0..<reader.rowGroupCount {
      let rows = table.rows(of: file, reader, rowGroup: rowGroup)
      defer { bytesRead += rows.bytesRead }
      try body(rows, firstRow)
      firstRow += rows.rowCount
    }
  }
}

// MARK: Writing

extension EventsBatch {
  /// Stages the survivors of a slice and adds their fingerprints to the cache.
  ///
  /// - Parameters:
  ///   - survivors: those of the decision on this slice.
  ///   - lateBefore: microseconds since 1970; older events go into files of their own, sorted by
  ///     time, and so do those that are ahead of the batch.
  /// - Throws: `SystemError`, `ParquetError`, `PipelineError`; call `discard()` then.
  func write(
    _ slice: BronzeSlice, _ rows: EventRows, survivors: [Bool], lateBefore: Int64
  ) throws {
    precondition(rows.count == survivors.count, "one decision for each row of the slice")
    let split = TimeSplit(
      rows, survivors, lateBefore: lateBefore, aheadOfArrival: lateness)
    for (place, part) in [(Place.main, split.main), (.late, split.late), (.early, split.early)] {
      guard let times = part.times else { continue }
      try output(place).append(slice, where: part.mask, times: times)
    }
    hasFingerprints = true
    table.cache.insert(rows, where: survivors)
  }

  private var lateness: Int64 {
    table.configuration.silver.allowedLateness.wholeMilliseconds * 1000
  }

  private func output(_ place: Place) throws -> EventsOutput {
    if let output = outputs[place] { return output }
    let output: EventsOutput
    switch place {
    case .main:
      output = try table.output(prefix: batchPrefix, isSorted: false, isAside: false)
    case .late:
      output = try table.output(
        prefix: batchPrefix + EventFile.lateMark, isSorted: true, isAside: true)
    case .early:
      output = try table.output(
        prefix: batchPrefix + EventFile.earlyMark, isSorted: true, isAside: true)
    case .rewritten(let mark):
      output = try table.output(
        prefix: batchPrefix + mark, isSorted: false, isAside: !mark.isEmpty)
    }
    outputs[place] = output
    return output
  }

  /// Completes open files that may hold such times.
  private func seal(where fits: (ClosedRange<Int64>) -> Bool) throws {
    for output in outputs.values {
      guard let times = output.openTimes, fits(times) else { continue }
      try seal(output)
    }
  }

  private func seal(_ output: EventsOutput) throws {
    for file in try output.seal() {
      staged.append(file)
      stagedFiles[file.path] = EventFile(file)
    }
  }

  /// Completes all files; afterwards they are durable and named by nobody.
  ///
  /// - Throws: `SystemError`, `ParquetError`, `PipelineError`; call `discard()` then.
  func finish() throws -> StagedEvents {
    for place in [Place.main, .late, .early] {
      if let output = outputs[place] { try seal(output) }
    }
    let paths = replaced.keys.sorted()
    var removes: [RemoveFile] = []
    var bytesRewritten: Int64 = 0
    for path in paths {
      guard let file = stagedFiles[path] ?? table.files[path] else { continue }
      try rewrite(file)
      bytesRewritten += file.add.size
      if stagedFiles[path] == nil {
        // The clock, not the batch: a replayed batch is old, and its tombstones must not look so.
        let now = max(timestampMs, wallClockMilliseconds())
        removes.append(file.add.removal(at: now, dataChange: true))
      } else {
        try unstage(path)
      }
    }
    replaced = [:]
    return StagedEvents(
      adds: staged, removes: removes, bytesRewritten: bytesRewritten, bytesRead: bytesRead)
  }

  /// Writes a file again without its replaced rows.
  private func rewrite(_ file: EventFile) throws {
    let output = try output(.rewritten(asideMark: file.asideMark))
    let without = replaced[file.add.path] ?? []
    try forEachRowGroup(of: file) { group, firstRow in
      let kept = (0..<group.rowCount).lazy.filter { !without.contains(firstRow + $0) }
        .map { RowPlace(group: 0, row: Int32($0)) }
      let gather = RowGather([group], schema: table.table.snapshot.schema)
      try output.append(Array(kept)[...], from: gather)
    }
    try seal(output)
  }

  /// A staged file whose rows were staged again is of no use to anyone.
  private func unstage(_ path: String) throws {
    guard let file = stagedFiles.removeValue(forKey: path) else { return }
    staged.removeAll { $0.path == path }
    try Files.remove("\(table.table.path)/\(file.add.filePath)")
  }

  /// Removes the staged files.
  ///
  /// The cache then covers nothing, for it knows rows that are not stored: every look-up goes to
  /// the files until `prepareCache`.
  func discard() {
    for output in outputs.values { output.discard() }
    outputs = [:]
    staged = []
    stagedFiles = [:]
    replaced = [:]
    if hasFingerprints { table.cache.reset(coveringFrom: .max) }
  }
}
