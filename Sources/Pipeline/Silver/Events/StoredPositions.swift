internal import Clickstream

/// Where the events of a stored row group came from, which says which of two equal ones stays.
struct StoredPositions {
  private let ingestedAt, partition, offset: StoredColumn
  private let place: String

  /// Decodes the three columns.
  init(_ rows: StoredRows) throws {
    ingestedAt = try rows.column("ingested_at")
    partition = try rows.column("kafka_partition")
    offset = try rows.column("kafka_offset")
    place = "\(rows.file), row group \(rows.rowGroup)"
  }

  /// - Throws: `TABLE_DAMAGED` when a part of the position is null: then nobody can tell which of
  ///   two equal events came first.
  func position(_ row: Int) throws -> SourcePosition {
    guard let ingestedAt = ingestedAt.integer(row), let partition = partition.integer(row),
      let offset = offset.integer(row)
    else {
      throw PipelineError(
        "TABLE_DAMAGED", .damaged,
        "\(place), row \(row): expected values in ingested_at, kafka_partition and kafka_offset, "
          + "found null",
        remedy: "another program wrote this file: run \(SilverRebuild.command)")
    }
    return SourcePosition(
      ingestedAt: ingestedAt, partition: Int32(truncatingIfNeeded: partition), offset: offset)
  }
}

extension StoredRows {
  /// What the event of a row counts as.
  func kind(_ row: Int) throws -> EventKind {
    try column("event_type").withBytes(row, EventKind.init) ?? .other
  }
}
