internal import DeltaLake

/// One file of the events table, as look-ups need it.
struct EventFile {
  /// Without its statistics: the index holds every file of the table.
  let add: AddFile
  /// The event times that the file may hold, in microseconds since 1970.
  let times: ClosedRange<Int64>
  /// The number of rows; nil when it is not stated.
  let rowCount: Int64?

  init(_ add: AddFile) {
    let bounds = FileBounds(stats: add.stats)
    times = bounds.timestamps("event_ts")
    rowCount = bounds.rowCount
    var add = add
    add.stats = nil
    self.add = add
  }

  /// What the name says about rows that were put aside by their time, "" for none.
  ///
  /// They are kept apart in every rewriting, for one late row would widen the times of a file by
  /// years.
  var asideMark: String {
    EventFile.asideMarks.first { add.path.contains($0 + "-") } ?? ""
  }

  /// In file names, behind the batch.
  static let lateMark = "-late"
  static let earlyMark = "-early"
  private static let asideMarks = [lateMark, earlyMark]
}
