internal import DeltaLake
internal import DurableIO

/// What a crash leaves, or what a daemon at work has not committed yet.
struct Leftovers {
  /// Whether a process holds the state directory.
  let isAtWork: Bool

  /// - Parameters:
  ///   - logs: the folders of the tables, those too that are none yet.
  ///   - named: data files that a pending commit names.
  /// - Returns: a note for each folder that holds some.
  func notes(
    tables: [DeltaTable], checkpoint: String, logs: [String], named pending: Set<String> = []
  ) throws -> [String] {
    var notes: [String] = []
    for known in tables {
      let names = try Self.dataFiles(below: known.path)
      // Opened after the listing: what was committed meanwhile is named by then.
      guard let table = try? DeltaTable.open(path: known.path),
        let live = try? table.liveFiles(), let removed = try? table.tombstones()
      else { continue }
      let named = pending.union(live.map(\.filePath)).union(removed.map(\.filePath))
      let orphans = names.filter { !named.contains($0) }
      notes += note(orphans, in: known.path, "data files that no commit names")
    }
    let parts = ["", "/offsets", "/commits", "/sources/0"].map { checkpoint + $0 }
    for directory in parts + logs.map({ "\($0)/_delta_log" }) where try Files.exists(directory) {
      let temporary = try Files.list(directory).filter { $0.hasPrefix(".") && $0.hasSuffix(".tmp") }
      notes += note(temporary, in: directory, "temporary files")
    }
    return notes
  }

  /// The names below a table's folder, those in the folders of partitions included.
  private static func dataFiles(below table: String) throws -> [String] {
    var names = try Files.list(table)
    for folder in names where folder.contains("=") {
      names += ((try? Files.list("\(table)/\(folder)")) ?? []).map { "\(folder)/\($0)" }
    }
    return names.filter { $0.hasSuffix(".parquet") }
  }

  private func note(_ names: [String], in directory: String, _ what: String) -> [String] {
    guard let first = names.first else { return [] }
    let reason =
      isAtWork
      ? "the daemon is at work"
      : "an interrupted batch leaves such files, the daemon removes them when it starts"
    return ["\(directory): \(names.count) \(what), such as \(first); \(reason)"]
  }
}
