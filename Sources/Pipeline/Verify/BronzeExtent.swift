internal import DeltaLake
internal import StreamCheckpoint

/// The Bronze rows up to a position of Silver.
struct BronzeExtent {
  let table: DeltaTable
  let files: [SourceFile]
  /// Whether Bronze holds rows behind the position.
  let goesOn: Bool

  /// - Returns: `nil` when Bronze's log no longer tells which files these are.
  /// - Throws: `PipelineError` when it is not the Bronze that Silver has read.
  init?(upTo position: DeltaSourceOffset, of path: String) throws {
    let source = BronzeSource(path: path, log: .silent)
    guard try source.refresh(), let table = source.table else { throw BronzeError.missing(path) }
    self.table = table
    let end = try source.endOffset()
    // One row at most: only whether there are any is asked.
    goesOn = try source.plan(from: position, upTo: end, maxRows: 1, maxBytes: 1) != nil
    if position.isStartingVersion {
      var start = position
      start.index = DeltaSourceOffset.beforeFirstFile
      files = try source.files(from: start, to: position)
      return
    }
    var files: [SourceFile] = []
    let version = goesOn ? position.version - 1 : table.snapshot.version
    if version >= 0 {
      let isKnown = try table.forEachFile(ofVersion: version, restart: { files = [] }) {
        files.append(SourceFile($0, version: version, index: Int64(files.count)))
      }
      guard isKnown else { return nil }
    }
    if goesOn, position.index >= 0 {
      var start = position
      start.index = DeltaSourceOffset.beforeFirstFile
      files += try source.files(from: start, to: position)
    }
    self.files = files
  }

  /// As the log states it; `nil` when it does not for all files.
  var statedRowCount: Int64? {
    var sum: Int64 = 0
    for file in files {
      guard let count = file.statedRowCount else { return nil }
      sum = sum.clampedAdding(count)
    }
    return sum
  }
}
