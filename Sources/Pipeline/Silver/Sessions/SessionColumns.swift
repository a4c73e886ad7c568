internal import Clickstream
internal import DeltaLake
internal import Parquet

/// The column buffers of the sessions table's files, filled session by session.
final class SessionColumns {
  /// In the order of the table's schema, the partition column left out.
  let all: [ColumnBuffer]
  private let sessionID, customerID: ByteArrayColumn
  private let date, events, pageViews, addsToCart, purchases, searches: Int32Column
  private let first, last, duration, updatedAt: Int64Column
  private let converted: BooleanColumn
  // Not checked for exclusive access, as the buffers are not.
  @exclusivity(unchecked) private var text: [UInt8] = []

  /// At least the bytes that the buffered rows occupy before they are encoded.
  @exclusivity(unchecked) private(set) var byteCount = 0

  private static let microsecondsPerDay: Int64 = 86_400_000_000

  init() throws {
    let stored = SessionsSchema.table.without(SessionsSchema.partitionColumns)
    let leaves = try stored.parquetSchema().leaves
    // Both hardly repeat within a row group, which holds the sessions of a short time.
    sessionID = ByteArrayColumn(leaves[0], encoding: .plain)
    customerID = ByteArrayColumn(leaves[1], encoding: .plain)
    date = Int32Column(leaves[2])
    first = Int64Column(leaves[3])
    last = Int64Column(leaves[4])
    duration = Int64Column(leaves[5])
    events = Int32Column(leaves[6])
    pageViews = Int32Column(leaves[7])
    addsToCart = Int32Column(leaves[8])
    purchases = Int32Column(leaves[9])
    searches = Int32Column(leaves[10])
    converted = BooleanColumn(leaves[11])
    updatedAt = Int64Column(leaves[12])
    all = [
      sessionID, customerID, date, first, last, duration, events, pageViews, addsToCart, purchases,
      searches, converted, updatedAt,
    ]
  }

  var rowCount: Int { first.rowCount }

  /// At least the bytes of a row of a visitor with so long a name.
  static func rowBytes(visitorLength: Int) -> Int { 2 * visitorLength + 128 }

  /// Appends one row; `session.visitor` is not looked at, `visitor` is the name.
  func append(_ session: Session, visitor: UnsafeRawBufferPointer) {
    text.removeAll(keepingCapacity: true)
    text.append(contentsOf: visitor)
    SessionID.withSuffix(first: session.first) { text.append(contentsOf: $0) }
    text.withUnsafeBytes { sessionID.append($0) }
    if session.isIdentified { customerID.append(visitor) } else { customerID.appendNull() }
    date.append(
      Int32(truncatingIfNeeded: session.first.dividedDown(by: Self.microsecondsPerDay)))
    first.append(session.first)
    last.append(session.last)
    duration.append(session.durationSeconds)
    events.append(session.eventCount)
    pageViews.append(session.pageViewCount)
    addsToCart.append(session.addToCartCount)
    purchases.append(session.purchaseCount)
    searches.append(session.searchCount)
    converted.append(session.converted)
    updatedAt.append(session.updatedAt)
    byteCount += Self.rowBytes(visitorLength: visitor.count)
  }

  /// Forgets the rows, after they were written or because they never will be.
  func reset() {
    for column in all { column.reset() }
    byteCount = 0
  }
}

/// The text of `session_id`: the visitor, `-`, and the first event's microseconds since 1970.
enum SessionID {
  private static let room = 24

  /// Lends the part behind the visitor's name.
  @inline(__always)
  static func withSuffix<Result>(
    first: Int64, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { buffer in
      var start = room
      var rest = first.magnitude
      repeat {
        start -= 1
        buffer[start] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
        rest /= 10
      } while rest > 0
      if first < 0 {
        start -= 1
        buffer[start] = UInt8(ascii: "-")
      }
      start -= 1
      buffer[start] = UInt8(ascii: "-")
      return try body(UnsafeRawBufferPointer(rebasing: buffer[start...]))
    }
  }
}
