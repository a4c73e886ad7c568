package import Clickstream
internal import DeltaLake
internal import Parquet

/// The newest dead letters, for people.
package struct LetterList: Equatable, Sendable {
  /// The newest first.
  package private(set) var letters: [Letter] = []
  /// Letters in the table, as the log states it; `nil` when it does not for all files.
  package private(set) var tableCount: Int64? = 0

  /// One letter, its texts as they are in the table.
  package struct Letter: Equatable, Sendable {
    package var partition: Int64?
    package var offset: Int64?
    /// Kafka's and the batch's times in microseconds since 1970.
    package var timestamp: Int64?
    package var ingestedAt: Int64?
    package var reason: String
    package var detail: String
    package var headers: String?
    package var key: Excerpt?
    package var value: Excerpt?

    /// As `2026-01-31T10:00:00.000Z`; `nil` for no time.
    package var ingestedAtText: String? {
      ingestedAt.flatMap { StatisticsText.timestamp(microseconds: $0) }
    }
  }

  /// The beginning of a byte string.
  package struct Excerpt: Equatable, Sendable {
    package var byteCount: Int
    package var start: [UInt8]
  }

  /// How much of a value is shown; a value may have many megabytes.
  private static let excerptBytes = 256

  /// Reads without writing; a daemon may be at work meanwhile.
  ///
  /// - Parameters:
  ///   - count: how many at most; memory grows with it.
  ///   - reason: only letters that have it.
  /// - Throws: `PipelineError`.
  package init(_ configuration: Configuration, count: Int, reason: DeadLetterReason?) throws {
    do {
      guard let table = try DeltaTable.open(path: configuration.paths.deadLetter) else { return }
      let files = try table.liveFiles().map { (add: $0, bounds: FileBounds(stats: $0.stats)) }
      tableCount = files.reduce(0 as Int64?) { sum, file in
        sum.flatMap { sum in file.bounds.rowCount.map { sum.clampedAdding($0) } }
      }
      let newestFirst = files.map {
        ($0.add, newest: $0.bounds.timestamps("ingested_at").upperBound)
      }
      .sorted { ($0.newest, $0.0.path) > ($1.newest, $1.0.path) }
      var newest = NewestLetters(count: count, reason: reason?.rawValue)
      for (add, latest) in newestFirst where newest.mayTake(latest) {
        try newest.take(try LetterFile(add, of: table))
      }
      letters = try newest.places.map { try Self.letter($0) }
    } catch {
      throw PipelineError.translating(error)
    }
  }

  private static func letter(_ place: NewestLetters.Place) throws -> Letter {
    let (file, group, row) = (place.file, place.rowGroup, place.row)
    func text(_ name: String) throws -> String? {
      try file.texts(name, rowGroup: group).string(row)
    }
    func excerpt(_ name: String) throws -> Excerpt? {
      try file.texts(name, rowGroup: group).withBytes(row) { bytes in
        bytes.map { Excerpt(byteCount: $0.count, start: Array($0.prefix(excerptBytes))) }
      }
    }
    return Letter(
      partition: try file.integers("kafka_partition", rowGroup: group)[row],
      offset: try file.integers("kafka_offset", rowGroup: group)[row],
      timestamp: try file.integers("kafka_timestamp", rowGroup: group)[row],
      ingestedAt: try file.integers("ingested_at", rowGroup: group)[row],
      reason: try text("failure_reason") ?? "", detail: try text("failure_detail") ?? "",
      headers: try text("headers"), key: try excerpt("raw_key"), value: try excerpt("raw_value"))
  }
}

/// The places of the newest letters that were seen so far.
private struct NewestLetters {
  /// A letter's row, and what decides its place in the list.
  struct Place {
    let file: LetterFile
    let rowGroup: Int
    let row: Int
    let order: (ingestedAt: Int64, partition: Int64, offset: Int64)
  }

  private let count: Int
  private let reason: String?
  private(set) var places: [Place] = []

  init(count: Int, reason: String?) {
    self.count = count
    self.reason = reason
  }

  /// Whether a file whose newest letter is of this time can hold one of the newest.
  func mayTake(_ latest: Int64) -> Bool {
    guard places.count >= count, let last = places.last else { return count > 0 }
    return latest >= last.order.ingestedAt
  }

  mutating func take(_ file: LetterFile) throws {
    for group in 0..<file.reader.rowGroupCount {
      let times = try file.integers("ingested_at", rowGroup: group)
      let partitions = try file.integers("kafka_partition", rowGroup: group)
      let offsets = try file.integers("kafka_offset", rowGroup: group)
      let reasons = try reason.map { ($0, try file.texts("failure_reason", rowGroup: group)) }
      for row in times.indices {
        if let (wanted, texts) = reasons, texts.string(row) != wanted { continue }
        places.append(
          Place(
            file: file, rowGroup: group, row: row,
            order: (times[row] ?? .min, partitions[row] ?? .min, offsets[row] ?? .min)))
      }
      places.sort { $0.order > $1.order }
      places.removeLast(max(0, places.count - count))
    }
  }
}
