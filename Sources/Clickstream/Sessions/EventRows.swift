/// What duplicates and sessions need to know of the rows of a slice, column by column.
///
/// About 41 bytes a row. The memory is kept from one slice to the next.
package final class EventRows {
  /// The times that a row may have: about 18,000 years around 1970.
  ///
  /// All sums of a time and a gap or a lateness of days stay far from overflow. A file of somebody
  /// else's may hold other values: its reader compares before it appends.
  package static let representableTimes: ClosedRange<Int64> = -(1 << 59)...(1 << 59) - 1

  package let visitors: VisitorTable
  // Not checked for exclusive access: the checks cost as much as the appending itself.
  @exclusivity(unchecked) private var visitorColumn = GrowableBuffer<Int32>()
  @exclusivity(unchecked) private var timeColumn = GrowableBuffer<Int64>()
  /// Kind in bits 1 to 3, whether the visitor is identified in bit 0.
  @exclusivity(unchecked) private var traitColumn = GrowableBuffer<UInt8>()
  @exclusivity(unchecked) private var hashColumn = GrowableBuffer<UInt64>()
  @exclusivity(unchecked) private var arrivalColumn = GrowableBuffer<Int64>()
  @exclusivity(unchecked) private var partitionColumn = GrowableBuffer<Int32>()
  @exclusivity(unchecked) private var offsetColumn = GrowableBuffer<Int64>()
  /// The newest event time, each limited by when its row was ingested; `Int64.min` without rows.
  ///
  /// An event dated 2099 does not move it further than its arrival.
  @exclusivity(unchecked) package private(set) var newestTime = Int64.min

  package init(visitors: VisitorTable) { self.visitors = visitors }

  package var count: Int { timeColumn.count }

  /// Bytes of memory held, without the visitors.
  package var byteCount: Int {
    visitorColumn.byteCount + timeColumn.byteCount + traitColumn.byteCount + hashColumn.byteCount
      + arrivalColumn.byteCount + partitionColumn.byteCount + offsetColumn.byteCount
  }

  package func removeAll() {
    visitorColumn.removeAll()
    timeColumn.removeAll()
    traitColumn.removeAll()
    hashColumn.removeAll()
    arrivalColumn.removeAll()
    partitionColumn.removeAll()
    offsetColumn.removeAll()
    newestTime = .min
  }

  /// Makes room for `additional` more rows at once.
  package func reserve(_ additional: Int) {
    visitorColumn.reserve(additional)
    timeColumn.reserve(additional)
    traitColumn.reserve(additional)
    hashColumn.reserve(additional)
    arrivalColumn.reserve(additional)
    partitionColumn.reserve(additional)
    offsetColumn.reserve(additional)
  }

  /// Adds a row.
  ///
  /// `visitor` is a number of `visitors`, `time` is in microseconds since 1970 and representable,
  /// `eventIDHash` is `EventHash.of` the event id.
  package func append(
    visitor: Int32, isIdentified: Bool, kind: EventKind, time: Int64, eventIDHash: UInt64,
    position: SourcePosition
  ) {
    precondition(
      Self.representableTimes.contains(time), "the reader compares times with representableTimes")
    precondition(
      visitor >= 0 && Int(visitor) < visitors.count, "a visitor's number is of the rows' table")
    visitorColumn.append(visitor)
    timeColumn.append(time)
    traitColumn.append(kind.rawValue << 1 | (isIdentified ? 1 : 0))
    hashColumn.append(eventIDHash)
    arrivalColumn.append(position.ingestedAt)
    partitionColumn.append(position.partition)
    offsetColumn.append(position.offset)
    newestTime = max(newestTime, min(time, position.ingestedAt))
  }

  // MARK: Columns, until the next change

  /// The times by row, until the next change of the rows.
  package var times: UnsafeBufferPointer<Int64> { timeColumn.elements }
  /// The visitors by row, until the next change of the rows.
  package var visitorNumbers: UnsafeBufferPointer<Int32> { visitorColumn.elements }
  var eventIDHashes: UnsafeBufferPointer<UInt64> { hashColumn.elements }
  var traits: UnsafeBufferPointer<UInt8> { traitColumn.elements }

  // MARK: Rows

  package func visitor(_ row: Int) -> Int32 { visitorColumn.base[checked(row)] }
  package func time(_ row: Int) -> Int64 { timeColumn.base[checked(row)] }
  package func isIdentified(_ row: Int) -> Bool { traitColumn.base[checked(row)] & 1 == 1 }
  package func eventIDHash(_ row: Int) -> UInt64 { hashColumn.base[checked(row)] }

  package func kind(_ row: Int) -> EventKind {
    EventKind(rawValue: traitColumn.base[checked(row)] >> 1) ?? .other
  }

  package func position(_ row: Int) -> SourcePosition {
    let index = checked(row)
    return SourcePosition(
      ingestedAt: arrivalColumn.base[index], partition: partitionColumn.base[index],
      offset: offsetColumn.base[index])
  }

  /// The hash of the row's visitor, time and event id.
  package func fingerprint(_ row: Int) -> UInt64 {
    EventHash.fingerprint(
      visitorHash: visitors.hash(of: visitor(row)), time: time(row),
      eventIDHash: eventIDHash(row))
  }

  @inline(__always)
  private func checked(_ row: Int) -> Int {
    precondition(row >= 0 && row < count, "a row's number is below the count of rows")
    return row
  }
}
