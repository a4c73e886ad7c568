internal import DeltaLake
internal import JSON

/// What earlier queries put into the Bronze tables, before an operator let a new one begin.
///
/// The properties of the Bronze table keep it, because log entries do not last: for each query
/// its accounting, in which the ranges are those of the whole query and no batch's. Totals that
/// begin later than the range leave out what another program put into the tables.
enum EarlierStreams {
  private static let prefix = "shopmetrics.stream."

  /// All but the present query's: that one went on after all when the change was not completed.
  static func read(_ table: DeltaTable, besides queryID: String?) throws -> [BatchAccounting] {
    try table.snapshot.metadata.configuration.sorted { $0.key < $1.key }.compactMap { key, value in
      guard key.hasPrefix(prefix), key.dropFirst(prefix.count) != queryID ?? "" else { return nil }
      return try parse(value, key, table)
    }
  }

  /// Whether no query has taken another one's place.
  static func areNone(_ table: DeltaTable) -> Bool {
    !table.snapshot.metadata.configuration.keys.contains { $0.hasPrefix(prefix) }
  }

  /// The time of the newest batch of any of them, in milliseconds since 1970: batches after it are
  /// later, whatever the clock says.
  static func newestTimeMs(_ table: DeltaTable) -> Int64 {
    let snapshot = table.snapshot
    let times = snapshot.metadata.configuration.keys.filter { $0.hasPrefix(prefix) }
      .compactMap { snapshot.transaction(of: String($0.dropFirst(prefix.count)))?.lastUpdated }
    return times.max() ?? 0
  }

  /// The record of one query; `nil` when none was ever to take its place.
  static func record(of queryID: String, in table: DeltaTable) throws -> BatchAccounting? {
    let key = prefix + queryID
    return try table.snapshot.metadata.configuration[key].map { try parse($0, key, table) }
  }

  /// The properties of the table with the record of a query that ends here.
  static func adding(
    _ accounting: BatchAccounting, of queryID: String, to metadata: TableMetadata
  ) -> TableMetadata {
    var metadata = metadata
    metadata.configuration[prefix + queryID] = accounting.json
    return metadata
  }

  private static func parse(
    _ value: String, _ key: String, _ table: DeltaTable
  ) throws -> BatchAccounting {
    guard let object = try? JSONValue.parse(value).objectValue,
      let accounting = BatchAccounting(object)
    else {
      throw PipelineError(
        "TABLE_DAMAGED", .damaged,
        "\(table.path): the property \(key) is not the accounting of a query",
        remedy: "restore _delta_log from a copy of the table")
    }
    return accounting
  }
}
