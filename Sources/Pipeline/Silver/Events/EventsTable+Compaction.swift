internal import DeltaLake
internal import DurableIO
internal import Parquet

extension EventsTable {
  /// What a compaction did.
  struct Compaction: Equatable {
    /// Files that were merged, and their bytes.
    var fileCount: Int
    var byteCount: Int64
    /// The version of the table that holds the result.
    var version: Int64
  }

  private static let filesPerTier = 16
  /// Each is open while it is merged.
  private static let filesAtOnce = 64

  /// Merges small files of about the same size into one, in the order of their times, when there
  /// are enough of them.
  ///
  /// A file grows at least 16-fold by it, so a row is written again only a few times in its life,
  /// and the number of files stays small. The merging is a commit of its own that changes no rows;
  /// a crash before it leaves an orphan.
  /// - Parameters:
  ///   - namePrefix: begins the names of the new files; the query's own, so that its sweep finds
  ///     orphans.
  ///   - timestampMs: milliseconds since 1970, for the commit and the tombstones.
  /// - Returns: nil when nothing was to do, or when another writer committed first.
  /// - Throws: what reading, writing and committing throw. Unless the outcome of the commit is
  ///   unknown, the table is as before.
  func compact(namePrefix: String, timestampMs: Int64) throws -> Compaction? {
    guard let merged = filesToMerge() else { return nil }
    let mark = merged.first?.asideMark ?? ""
    let output = try output(
      prefix: namePrefix + mark, isSorted: false, isAside: !mark.isEmpty)
    do {
      try merge(merged, into: output, sorting: !mark.isEmpty)
      let adds = try output.seal().map { file in
        var file = file
        file.dataChange = false
        return file
      }
      let removes = merged.map { $0.add.removal(at: timestampMs, dataChange: false) }
      let result = try table.commit(
        removes.map(Action.remove) + adds.map(Action.add),
        info: .compaction(adds, replacing: merged.map(\.add), timestampMs: timestampMs),
        expecting: indexedVersion, publisher: publisher, role: .eventsCommit)
      guard case .committed(let version) = result else {
        output.discard()
        return nil
      }
      try apply(adds: adds, removes: removes)
      return Compaction(
        fileCount: merged.count, byteCount: merged.reduce(0) { $0 + $1.add.size },
        version: version)
    } catch {
      if PipelineError.translating(error).kind != .outcomeUnknown { output.discard() }
      throw error
    }
  }

  /// The oldest files of the smallest size of which there are enough; nil when there are none.
  private func filesToMerge() -> [EventFile]? {
    struct Class: Hashable {
      var tier: Int
      var asideMark: String
    }
    var classes: [Class: [EventFile]] = [:]
    for file in files.values {
      guard let tier = tier(ofSize: file.add.size) else { continue }
      classes[Class(tier: tier, asideMark: file.asideMark), default: []].append(file)
    }
    let full = classes.filter { $0.value.count >= Self.filesPerTier }
    let chosen = full.max { ($0.key.tier, $0.key.asideMark) < ($1.key.tier, $1.key.asideMark) }
    let ordered = chosen?.value.sorted {
      ($0.times.lowerBound, $0.add.path) < ($1.times.lowerBound, $1.add.path)
    }
    return ordered.map { Array($0.prefix(Self.filesAtOnce)) }
  }

  /// How often 16 files have to become one until they are large: 1 for those that need it once; nil
  /// for large ones.
  private func tier(ofSize size: Int64) -> Int? {
    var limit = configuration.storage.targetFileBytes / 16
    guard size < limit else { return nil }
    var tier = 1
    while tier < 5, size < limit / 16 {
      limit /= 16
      tier += 1
    }
    return tier
  }

  /// Writes the rows of the files, row groups in the order of their times.
  ///
  /// - Parameter sorting: also sort rows within about a row group's size. Batches in order have
  ///   row groups of short times already, which move whole.
  private func merge(
    _ files: [EventFile], into output: EventsOutput, sorting: Bool
  ) throws {
    let groups = try files.flatMap { file in
      let reader = try table.openFile(file.add)
      return (0..<reader.rowGroupCount).map { rows(of: file, reader, rowGroup: $0) }
    }
    var pending: [StoredRows] = []
    for group in groups.sorted(by: { $0.times.lowerBound < $1.times.lowerBound }) {
      if try !sorting && output.append(group) { continue }
      pending.append(group)
      let rowCount = pending.reduce(0) { $0 + $1.rowCount }
      let byteCount = pending.reduce(0) { $0 + $1.byteCount }
      guard
        rowCount >= EventsOutput.rowGroupRows
          || byteCount >= configuration.storage.rowGroupBytes
      else { continue }
      try flush(&pending, into: output)
    }
    try flush(&pending, into: output)
  }

  private func flush(_ pending: inout [StoredRows], into output: EventsOutput) throws {
    guard !pending.isEmpty else { return }
    let gather = RowGather(pending, schema: table.snapshot.schema)
    try output.append(try gather.orderedByTime()[...], from: gather)
    for rows in pending { rows.forgetColumns() }
    pending = []
  }
}
