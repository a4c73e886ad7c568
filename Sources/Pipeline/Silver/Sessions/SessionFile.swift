internal import DeltaLake

/// A live data file of the sessions table and what is known of its rows without opening it.
struct SessionFile {
  /// Without its statistics, which are kept as the ranges below.
  let add: AddFile
  let isFinal: Bool
  /// Where the first events of its sessions lie, microseconds; everything when it is not stated.
  let firsts: ClosedRange<Int64>
  /// The same of the last events.
  let lasts: ClosedRange<Int64>
  /// The number of rows; nil when it is not stated.
  let rows: Int64?

  /// - Throws: `PipelineError` when the value of the partition column is no truth value.
  init(_ add: AddFile, table: String) throws {
    switch add.partitionValues[SessionsSchema.partitionColumn]??.lowercased() {
    case "true": isFinal = true
    case "false": isFinal = false
    case let value:
      throw PipelineError(
        "SESSIONS_DAMAGED", .damaged,
        "\(table)/\(add.filePath): is_final must be true or false, found \(value ?? "null")",
        remedy: "another program changed the table: run \(SilverRebuild.command)")
    }
    let bounds = FileBounds(stats: add.stats)
    firsts = bounds.timestamps("first_event_ts")
    lasts = bounds.timestamps("last_event_ts")
    rows = bounds.rowCount
    var add = add
    add.stats = nil
    self.add = add
  }

  var size: Int { Int(clamping: add.size) }

  /// Whether statistics bound the first events, so that new rows can be sorted in among them.
  var isBounded: Bool { firsts.lowerBound != .min && firsts.upperBound != .max }

  /// False when no session of the file can have an event within the range.
  func mayReach(from lower: Int64, to upper: Int64) -> Bool {
    firsts.lowerBound <= upper && lasts.upperBound >= lower
  }
}

/// A set of row numbers of one file, one bit each.
struct RowMarks {
  private var words: [UInt64] = []
  private(set) var count = 0

  func contains(_ row: Int) -> Bool {
    let word = row >> 6
    return word < words.count && words[word] & (1 << UInt64(row & 63)) != 0
  }

  /// The row must not be in the set yet.
  mutating func insert(_ row: Int) {
    let word = row >> 6
    if word >= words.count {
      words.append(contentsOf: repeatElement(0, count: word + 1 - words.count))
    }
    words[word] |= 1 << UInt64(row & 63)
    count += 1
  }
}
