internal import Clickstream
internal import Glibc
internal import Parquet

/// The rows of one row group: the times first, names and facts when they are asked for.
final class SessionRowGroup {
  let firsts: [Int64]
  let lasts: [Int64]
  private let reader: SessionFileReader
  private let index: Int
  // Not checked for exclusive access, which costs as much as a row.
  @exclusivity(unchecked) private var names: Names?
  @exclusivity(unchecked) private var facts: Facts?

  // Classes, because all of their columns would be retained for each row otherwise.
  private final class Names {
    let sessionIDs: ByteArrayValues
    /// The names that are there; nil in a file without the column.
    let customers: ByteArrayValues?
    /// For each row its value in `customers`, or -1.
    let customerOfRow: [Int32]

    init(_ sessionIDs: ByteArrayValues, _ customers: ByteArrayValues?, of customerOfRow: [Int32]) {
      (self.sessionIDs, self.customers) = (sessionIDs, customers)
      self.customerOfRow = customerOfRow
    }
  }

  private final class Facts {
    let updatedAt: [Int64]
    let events, pageViews, addsToCart, purchases, searches: [Int32]

    init(_ reader: SessionFileReader, _ index: Int) throws {
      updatedAt = try reader.times("updated_at", index)
      events = try reader.counts("event_count", index)
      pageViews = try reader.counts("page_view_count", index)
      addsToCart = try reader.counts("add_to_cart_count", index)
      purchases = try reader.counts("purchase_count", index)
      searches = try reader.counts("search_count", index)
    }
  }

  /// Reads the times.
  ///
  /// - Throws: `ParquetError`; `PipelineError` for times that no session has.
  init(_ reader: SessionFileReader, _ index: Int) throws {
    self.reader = reader
    self.index = index
    firsts = try reader.times("first_event_ts", index)
    lasts = try reader.times("last_event_ts", index)
    let possible = EventTime.instants
    for (row, (first, last)) in zip(firsts, lasts).enumerated() {
      guard first <= last, possible ~= first, possible ~= last else {
        throw reader.damaged(
          "a session must not end before it begins, and begin and end in the years 1 to 9999; "
            + "found \(first) to \(last) (µs)", index, row)
      }
    }
  }

  var rowCount: Int { firsts.count }

  /// Reads who the visitors are.
  func loadNames() throws {
    guard names == nil else { return }
    let sessionIDs = try reader.texts("session_id", index)
    var customers: ByteArrayValues?
    var customerOfRow = [Int32](repeating: -1, count: rowCount)
    if let column = try reader.optionalTexts("customer_id", index) {
      if case .byteArray(let values) = column.values { customers = values }
      var next: Int32 = 0
      for row in 0..<rowCount
      where column.maxDefinitionLevel == 0
        || column.definitionLevels[row] == column.maxDefinitionLevel
      {
        customerOfRow[row] = next
        next += 1
      }
    }
    names = Names(sessionIDs, customers, of: customerOfRow)
  }

  /// Reads the counts and when the rows were written.
  func loadFacts() throws {
    if facts == nil { facts = try Facts(reader, index) }
  }

  /// Lends the visitor's name; names must be loaded.
  ///
  /// - Throws: what `body` throws; `PipelineError` when `session_id`, `customer_id` and
  ///   `first_event_ts` contradict each other.
  func withVisitor<Result>(
    ofRow row: Int, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let names else { preconditionFailure("names are loaded before they are read") }
    return try names.sessionIDs.withBytes(row) { id in
      let nameCount = SessionID.withSuffix(first: firsts[row]) { suffix in
        let count = id.count - suffix.count
        let end = UnsafeRawBufferPointer(rebasing: id[max(0, count)...])
        guard count >= 0, suffix.isEqual(to: end) else { return -1 }
        return count
      }
      guard nameCount >= 0 else {
        throw reader.damaged(
          "session_id must end with \"-\" and the microseconds of first_event_ts", index, row)
      }
      let name = UnsafeRawBufferPointer(rebasing: id[..<nameCount])
      let customer = names.customerOfRow[row]
      if customer >= 0, let customers = names.customers,
        !customers.withBytes(Int(customer), { $0.isEqual(to: name) })
      {
        throw reader.damaged("customer_id must be the visitor of session_id", index, row)
      }
      return try body(name)
    }
  }

  /// The session of a row; names and facts must be loaded.
  func session(ofRow row: Int, visitor: Int32) -> Session {
    guard let names, let facts else {
      preconditionFailure("names and facts are loaded before they are read")
    }
    return Session(
      visitor: visitor, first: firsts[row], last: lasts[row], updatedAt: facts.updatedAt[row],
      eventCount: facts.events[row], pageViewCount: facts.pageViews[row],
      addToCartCount: facts.addsToCart[row], purchaseCount: facts.purchases[row],
      searchCount: facts.searches[row], isIdentified: names.customerOfRow[row] >= 0)
  }
}

extension UnsafeRawBufferPointer {
  fileprivate func isEqual(to other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count, let own = baseAddress, let start = other.baseAddress else {
      return count == other.count
    }
    return memcmp(own, start, count) == 0
  }
}
