internal import Clickstream
internal import DeltaLake
internal import Parquet

/// Silver computed from Bronze once more, in another and simpler way, and compared row by row.
///
/// The visitors are split by a hash of their names. For each share of them all three tables are
/// read: the rows of Bronze are sorted and cut into sessions (`UniqueEvents`), then every stored
/// session and event of these visitors is looked up there.
///
/// Compared are of sessions visitor, first and last event, the counts and the customer (the other
/// columns follow from these, which the check of each row has seen), of events which Bronze row
/// each is, its kind and whether it names a customer.
///
/// Memory: 53 bytes for each row of a share and the names of its visitors, for `rowsPerPass` rows
/// about 130 MB, and some 60 MB for the slice of a table that is being read. A share has more
/// rows when a single visitor has. Time: each share reads the key columns of all rows, so that it
/// grows with the square of a very large table.
package struct SilverRecomputation {
  /// Rows of a share.
  package static let rowsPerPass = 2_000_000
  /// Rows that are read at once, whole row groups though.
  private static let sliceRows = 131_072

  /// The tables that are compared.
  struct Stored {
    var sessions: DeltaTable
    var sessionFiles: [AddFile]
    var events: DeltaTable
    var eventFiles: [AddFile]
  }

  private let bronze: BronzeExtent
  private let stored: Stored
  private let gap: Int64
  private let rowsPerPass: Int
  private(set) var differences = Differences()
  /// Rows of Bronze.
  private(set) var rowCount: Int64 = 0

  init(_ bronze: BronzeExtent, _ stored: Stored, gap: Int64, rowsPerPass: Int) {
    precondition(rowsPerPass > 0, "a share of the visitors has rows")
    self.bronze = bronze
    self.stored = stored
    self.gap = gap
    self.rowsPerPass = rowsPerPass
  }

  /// - Throws: `PipelineError`, `ParquetError`, `DeltaError` for what cannot be read.
  mutating func run() throws {
    let rows = try bronze.statedRowCount.map { Int(clamping: $0) } ?? countRows()
    let shares = max(1, (rows - 1) / rowsPerPass + 1)
    for number in 0..<shares {
      try compare(Share(number: UInt64(number), count: UInt64(shares)), expectedRows: rows / shares)
    }
  }

  private func countRows() throws -> Int {
    try bronze.files.reduce(0) {
      $0 + Int(clamping: try bronze.table.openFile($1.add).metadata.numRows)
    }
  }

  private mutating func compare(_ share: Share, expectedRows: Int) throws {
    // Shares are not exactly equal, and an array that grows takes twice its memory meanwhile.
    let events = UniqueEvents(gap: gap, expectedRows: expectedRows + expectedRows / 8)
    let slices = BronzeSlices(bronze.files, of: bronze.table, maxRows: Self.sliceRows)
    while let slice = try slices.next() {
      let rows = try Self.keys(of: slice)
      let numbers = share.numbers(of: rows.visitors) { events.visitors.id(of: $0) }
      for row in 0..<rows.count {
        let visitor = numbers[Int(rows.visitor(row))]
        guard visitor != Share.elsewhere else { continue }
        events.append(UniqueEvents.Event(rows, row, visitor: visitor))
        rowCount += 1
      }
    }
    events.seal()
    try compareSessions(share, events)
    try compareEvents(share, events)
  }

  private static func keys(of slice: BronzeSlice) throws -> EventRows {
    let rows = EventRows(visitors: VisitorTable())
    var arrivals = ArrivalStatistics()
    try slice.readKeys(into: rows, statistics: &arrivals)
    return rows
  }

  // MARK: Sessions

  private mutating func compareSessions(_ share: Share, _ events: UniqueEvents) throws {
    var isSeen = [Bool](repeating: false, count: events.count)
    for add in stored.sessionFiles {
      let file = try SessionFile(add, table: stored.sessions.path)
      let reader = try SessionFileReader(file, of: stored.sessions)
      for index in 0..<reader.rowGroupCount {
        let group = try SessionRowGroup(reader, index)
        try group.loadNames()
        try group.loadFacts()
        for row in 0..<group.rowCount {
          try group.withVisitor(ofRow: row) { name in
            guard share.contains(EventHash.of(name)) else { return }
            compare(
              group.session(ofRow: row, visitor: events.visitors.find(name) ?? Share.unknown),
              of: name, events, &isSeen)
          }
        }
      }
    }
    for place in 0..<events.count where !isSeen[place] && events.beginsSession(place) {
      let visit = events.session(from: place)
      events.visitors.withBytes(of: events[place].visitor) { name in
        differences.find(
          "SESSION_MISSING", self.place(ofSession: name, first: visit.first),
          expected: "\(visit)", found: "no such session")
      }
    }
  }

  private mutating func compare(
    _ session: Session, of name: UnsafeRawBufferPointer, _ events: UniqueEvents,
    _ isSeen: inout [Bool]
  ) {
    let found = UniqueEvents.Visit(session)
    let start =
      session.visitor == Share.unknown
      ? nil : events.sessionStart(of: session.visitor, at: session.first)
    guard let start else {
      return differences.find(
        "SESSION_UNKNOWN", place(ofSession: name, first: session.first),
        expected: "no session that begins then", found: "\(found)")
    }
    if isSeen[start] {
      differences.find(
        "SESSION_TWICE", place(ofSession: name, first: session.first), expected: "one row",
        found: "another row with \(found)")
    }
    isSeen[start] = true
    let expected = events.session(from: start)
    guard expected != found else { return }
    differences.find(
      "SESSION_DIFFERS", place(ofSession: name, first: session.first), expected: "\(expected)",
      found: "\(found)")
  }

  private func place(ofSession name: UnsafeRawBufferPointer, first: Int64) -> String {
    "\(stored.sessions.path), session of \(VisitorName.text(name)) at \(first) µs"
  }

  // MARK: Events

  private mutating func compareEvents(_ share: Share, _ events: UniqueEvents) throws {
    var isSeen = [Bool](repeating: false, count: events.count)
    let files = stored.eventFiles.map { SourceFile($0, version: 0, index: 0) }
    let slices = BronzeSlices(files, of: stored.events, maxRows: Self.sliceRows)
    while let slice = try slices.next() {
      let rows = try Self.keys(of: slice)
      let numbers = share.numbers(of: rows.visitors) {
        events.visitors.find($0) ?? Share.unknown
      }
      for row in 0..<rows.count {
        let visitor = numbers[Int(rows.visitor(row))]
        guard visitor != Share.elsewhere else { continue }
        let event = UniqueEvents.Event(rows, row, visitor: visitor)
        rows.visitors.withBytes(of: rows.visitor(row)) { compare(event, of: $0, events, &isSeen) }
      }
    }
    for place in 0..<events.count where !isSeen[place] {
      let event = events[place]
      events.visitors.withBytes(of: event.visitor) { name in
        differences.find(
          "EVENT_MISSING", self.place(ofEvent: name, event.time), expected: "\(event)",
          found: "no row")
      }
    }
  }

  private mutating func compare(
    _ found: UniqueEvents.Event, of name: UnsafeRawBufferPointer, _ events: UniqueEvents,
    _ isSeen: inout [Bool]
  ) {
    let place = found.visitor == Share.unknown ? nil : events.place(of: found)
    guard let place else {
      return differences.find(
        "EVENT_UNKNOWN", self.place(ofEvent: name, found.time), expected: "no such event",
        found: "\(found)")
    }
    if isSeen[place] {
      differences.find(
        "EVENT_TWICE", self.place(ofEvent: name, found.time), expected: "one row",
        found: "another row, \(found)")
    }
    isSeen[place] = true
    let expected = events[place]
    guard !expected.isSameRow(as: found) else { return }
    differences.find(
      "EVENT_DIFFERS", self.place(ofEvent: name, found.time), expected: "\(expected)",
      found: "\(found)")
  }

  private func place(ofEvent name: UnsafeRawBufferPointer, _ time: Int64) -> String {
    "\(stored.events.path), event of \(VisitorName.text(name)) at \(time) µs"
  }
}

/// Some of the visitors, told from the others by a hash of their names.
private struct Share {
  /// Numbers of visitors that are not of the share, and of those that Bronze does not know.
  static let elsewhere: Int32 = -1
  static let unknown: Int32 = -2

  let number: UInt64
  let count: UInt64

  func contains(_ hash: UInt64) -> Bool { hash.multipliedFullWidth(by: count).high == number }

  /// For each visitor of a slice the number that `number` gives, or `elsewhere`.
  func numbers(
    of visitors: VisitorTable, _ number: (UnsafeRawBufferPointer) -> Int32
  ) -> [Int32] {
    (0..<Int32(visitors.count)).map { visitor in
      contains(visitors.hash(of: visitor))
        ? visitors.withBytes(of: visitor, number) : Share.elsewhere
    }
  }
}

extension UniqueEvents.Visit: CustomStringConvertible {
  fileprivate init(_ session: Session) {
    self.init(
      first: session.first, last: session.last, events: session.eventCount,
      pageViews: session.pageViewCount, addsToCart: session.addToCartCount,
      purchases: session.purchaseCount, searches: session.searchCount,
      isIdentified: session.isIdentified)
  }

  var description: String {
    "\(events) events (\(pageViews) page_view, \(addsToCart) add_to_cart, \(purchases) purchase, "
      + "\(searches) search) until \(last) µs, "
      + (isIdentified ? "with a customer_id" : "without a customer_id")
  }
}

extension UniqueEvents.Event: CustomStringConvertible {
  var description: String {
    "the row of partition \(partition), offset \(offset), ingested at \(ingestedAt) µs (\(kind), "
      + (isIdentified ? "with a customer_id)" : "without a customer_id)")
  }
}
