import DurableIO

extension DeltaTable {
  /// Removes data files that a crash left behind: files whose name starts with `prefix` and that
  /// neither the log nor a pending batch names.
  ///
  /// Memory grows with the files of that prefix only.
  ///
  /// - Parameters:
  ///   - prefix: a start of file names that only this program uses.
  ///   - sparing: `path`s of files that a pending batch is about to commit.
  /// - Returns: the removed files, relative to the table, sorted.
  /// - Throws: `DeltaError`, `SystemError`; what was not removed yet is an orphan as before.
  package func sweepOrphans(prefix: String, sparing: Set<String>) throws -> [String] {
    precondition(!prefix.isEmpty, "an empty prefix would take every file for an orphan")
    try refresh()
    var orphans = try dataFiles { $0.hasPrefix(prefix) }
    orphans.subtract(sparing.map(PathEncoding.decode))
    guard !orphans.isEmpty else { return [] }
    // A second pass after a damaged checkpoint takes the same names out again, which is no harm.
    try withReplay(restart: {}) { replay in
      try replay.forEachLiveFile { orphans.remove($0.filePath) }
      try replay.forEachTombstone { orphans.remove($0.filePath) }
    }
    return try remove(orphans)
  }

  /// Removes data files that left the table, or never came into it, longer ago than `retention`.
  ///
  /// What stays: the files of the snapshot, tombstones younger than the retention, every file that
  /// a commit from `keepingFrom` on added (a consumer still reads them, compacted or not), files
  /// written within the retention, and names that begin with `_` or `.`.
  ///
  /// - Parameters:
  ///   - keepingFrom: the oldest version whose commit a consumer still reads.
  ///   - retention: milliseconds; readers of older versions lose their files after it.
  ///   - now: milliseconds since 1970.
  ///   - sparing: `path`s of files that a pending batch is about to commit.
  /// - Returns: the removed files, relative to the table, sorted.
  /// - Throws: `.clockWentBack` when the newest commit is from after `now`; `DeltaError`,
  ///   `SystemError`. A later call goes on.
  package func vacuum(
    keepingFrom version: Int64, retention: Int64, now: Int64, sparing: Set<String>
  ) throws -> [String] {
    try refresh()
    try checkClock(now)
    let cutOff = now - retention
    var files = try dataFiles { _ in true }
    files.subtract(sparing.map(PathEncoding.decode))
    try withReplay(restart: {}) { replay in
      try replay.forEachLiveFile { files.remove($0.filePath) }
      try replay.forEachTombstone { file in
        if let deleted = file.deletionTimestamp, deleted > cutOff { files.remove(file.filePath) }
      }
    }
    for kept in stride(from: max(0, version), through: snapshot.version, by: 1) {
      for case .add(let file) in try log.commit(kept) ?? [] { files.remove(file.filePath) }
    }
    return try remove(
      files.filter { name in
        guard let status = try Files.status("\(path)/\(name)") else { return false }
        return status.mtimeMilliseconds <= cutOff
      })
  }

  private func remove(_ files: Set<String>) throws -> [String] {
    let names = files.sorted()
    for name in names {
      try Files.remove("\(path)/\(name)")
      let slash = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
      try Files.remove("\(path)/\(name[..<slash]).\(name[slash...]).crc")
    }
    return names
  }

  /// The data files in the table's folder and in its partition folders whose name fits.
  private func dataFiles(where fits: (String) -> Bool) throws -> Set<String> {
    let depth = snapshot.metadata.partitionColumns.count
    var files: Set<String> = []
    var folders = [""]
    for level in 0...depth {
      var inner: [String] = []
      for folder in folders {
        for name in try Files.list("\(path)/\(folder)")
        where !name.hasPrefix("_") && !name.hasPrefix(".") {
          if try Files.status("\(path)/\(folder)\(name)")?.isDirectory == true {
            if level < depth, name.contains("=") { inner.append("\(folder)\(name)/") }
          } else if fits(name) {
            files.insert(folder + name)
          }
        }
      }
      folders = inner
    }
    return files
  }
}
