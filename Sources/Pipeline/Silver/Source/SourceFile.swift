package import DeltaLake
package import StreamCheckpoint

/// One data file of Bronze at its place in the stream.
package struct SourceFile: Equatable, Sendable {
  /// Without statistics and tags: a table may have very many files.
  package var add: AddFile
  /// The version that the file is read with.
  package var version: Int64
  /// The file's number in the version, from 0.
  package var index: Int64
  /// As the statistics state it; nil when they do not.
  var statedRowCount: Int64?

  init(_ add: AddFile, version: Int64, index: Int64) {
    statedRowCount = add.rowCount.flatMap { $0 >= 0 ? $0 : nil }
    self.add = add
    self.add.stats = nil
    self.add.tags = nil
    self.version = version
    self.index = index
  }
}

/// What the next batch reads.
package struct SourcePlan: Equatable, Sendable {
  /// Where the batch ends.
  package var end: DeltaSourceOffset
  /// At least one, in the order of the stream.
  package var files: [SourceFile]
  package var rowCount: Int64
}
