package import JSON
package import StreamCheckpoint

/// The `shopmetrics` object in `commitInfo` of a Silver batch's commit point.
///
/// It says what the batch read and what became of it, carries the complete actions of the events
/// table, and holds what the next batch needs to know, so that recovery reads no data.
package struct SilverAccounting: Equatable, Sendable {
  package var batch: Int64
  /// What the batch read of Bronze: after `start`, up to and including `end`.
  package var start: DeltaSourceOffset
  package var end: DeltaSourceOffset
  /// Rows of the batch.
  package var rows: Rows
  /// Rows since the stream began, this batch included.
  package var total: Rows
  /// The watermark for the next batch, and the newest event time seen, each event's cut at the
  /// time it came in; milliseconds, and microseconds since 1970.
  package var nextWatermarkMs: Int64
  package var newestEvent: Int64
  /// Sessions that begin later than this were set aside; microseconds since 1970.
  package var parkedAfter: Int64
  package var second: BatchAccounting.SecondTable?

  package init(
    batch: Int64, start: DeltaSourceOffset, end: DeltaSourceOffset, rows: Rows, total: Rows,
    nextWatermarkMs: Int64, newestEvent: Int64, parkedAfter: Int64,
    second: BatchAccounting.SecondTable?
  ) {
    self.batch = batch
    self.start = start
    self.end = end
    self.rows = rows
    self.total = total
    self.nextWatermarkMs = nextWatermarkMs
    self.newestEvent = newestEvent
    self.parkedAfter = parkedAfter
    self.second = second
  }

  /// Bronze rows and what became of them; `read` = `unique` + `duplicates`.
  package struct Rows: Equatable, Sendable {
    package var read: Int64
    package var unique: Int64
    package var duplicates: Int64

    package init(read: Int64 = 0, unique: Int64 = 0, duplicates: Int64 = 0) {
      self.read = read
      self.unique = unique
      self.duplicates = duplicates
    }

    static func + (left: Rows, right: Rows) -> Rows {
      Rows(
        read: left.read + right.read, unique: left.unique + right.unique,
        duplicates: left.duplicates + right.duplicates)
    }
  }
}

// MARK: - JSON

extension SilverAccounting {
  /// The object as compact JSON with a fixed key order.
  package var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("query", SilverQuery.name)
    writer.field("batch", batch)
    writer.field("start", raw: start.json)
    writer.field("end", raw: end.json)
    rows.write("rows", to: &writer)
    total.write("total", to: &writer)
    writer.field("nextWatermarkMs", nextWatermarkMs)
    writer.field("newestEvent", newestEvent)
    writer.field("parkedAfter", parkedAfter)
    if let second { second.write(to: &writer) }
    writer.endObject()
    return writer.text
  }

  /// Reads the object back; `nil` when a field is missing or of another type.
  package init?(_ object: JSONObject) {
    guard object.string("query") == SilverQuery.name, let batch = object.int64("batch"),
      let start = Self.offset(object["start"]), let end = Self.offset(object["end"]),
      let rows = Rows(object.object("rows")), let total = Rows(object.object("total")),
      let nextWatermarkMs = object.int64("nextWatermarkMs"),
      (0...Self.latest / 1000).contains(nextWatermarkMs),
      let newestEvent = object.int64("newestEvent"), newestEvent <= Self.latest,
      let parkedAfter = object.int64("parkedAfter")
    else { return nil }
    var second: BatchAccounting.SecondTable?
    if let carried = object["second"] {
      guard let read = BatchAccounting.SecondTable(carried) else { return nil }
      second = read
    }
    self.init(
      batch: batch, start: start, end: end, rows: rows, total: total,
      nextWatermarkMs: nextWatermarkMs, newestEvent: newestEvent, parkedAfter: parkedAfter,
      second: second)
  }

  /// The end of year 9999 in microseconds; arithmetic on earlier instants cannot overflow.
  private static let latest: Int64 = 253_402_300_800_000_000

  private static func offset(_ value: JSONValue?) -> DeltaSourceOffset? {
    guard let value else { return nil }
    return try? DeltaSourceOffset(json: value.text, path: "commitInfo.shopmetrics")
  }
}

extension SilverAccounting.Rows {
  /// No table had so many rows; sums of what is accepted cannot overflow.
  private static let most: Int64 = 1 << 60

  fileprivate func write(_ key: String, to writer: inout JSONWriter) {
    writer.key(key)
    writer.beginObject()
    writer.field("read", read)
    writer.field("unique", unique)
    writer.field("duplicates", duplicates)
    writer.endObject()
  }

  fileprivate init?(_ object: JSONObject?) {
    guard let read = object?.int64("read"), let unique = object?.int64("unique"),
      let duplicates = object?.int64("duplicates"),
      [read, unique, duplicates].allSatisfy({ (0...Self.most).contains($0) }),
      read == unique + duplicates
    else { return nil }
    self.init(read: read, unique: unique, duplicates: duplicates)
  }
}
