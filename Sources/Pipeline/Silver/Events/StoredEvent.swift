internal import Clickstream

/// One row of the events table, read column by column as it is needed.
struct StoredEvent {
  private let rows: StoredRows
  private let row: Int
  let isIdentified: Bool

  init(_ rows: StoredRows, _ row: Int, isIdentified: Bool) {
    self.rows = rows
    self.row = row
    self.isIdentified = isIdentified
  }

  func kind() throws -> EventKind {
    try rows.column("event_type").withBytes(row, EventKind.init) ?? .other
  }

  /// - Throws: `TABLE_DAMAGED` when a part of the position is null: then nobody can tell which of
  ///   two equal events came first.
  func position() throws -> SourcePosition {
    SourcePosition(
      ingestedAt: try part("ingested_at"),
      partition: Int32(truncatingIfNeeded: try part("kafka_partition")),
      offset: try part("kafka_offset"))
  }

  private func part(_ name: String) throws -> Int64 {
    if let value = try rows.column(name).integer(row) { return value }
    throw PipelineError(
      "TABLE_DAMAGED", .damaged,
      "\(rows.file), row group \(rows.rowGroup), row \(row): expected a value in \(name), "
        + "found null",
      remedy: "another program wrote this file: run `shopmetricsctl silver rebuild`")
  }
}
