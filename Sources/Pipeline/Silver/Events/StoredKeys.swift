/// What tells the events of a stored row group apart: visitor, time and event id.
///
/// Rows of other programs may lack a part; they equal no event.
struct StoredKeys {
  private let times, customerIDs, sessionIDs, eventIDs: StoredColumn

  /// Decodes the four columns.
  init(_ rows: StoredRows) throws {
    times = try rows.column("event_ts")
    customerIDs = try rows.column("customer_id")
    sessionIDs = try rows.column("session_id")
    eventIDs = try rows.column("event_id")
  }

  /// Microseconds since 1970.
  func time(_ row: Int) -> Int64? { times.integer(row) }

  func isIdentified(_ row: Int) -> Bool { customerIDs.place(row) != nil }

  func withVisitor<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result? {
    try customerIDs.withBytes(row, body) ?? sessionIDs.withBytes(row, body)
  }

  func withEventID<Result>(
    _ row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result? {
    try eventIDs.withBytes(row, body)
  }
}
