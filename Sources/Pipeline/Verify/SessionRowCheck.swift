internal import DeltaLake
internal import Parquet

/// The rows of a file of the sessions table: that the columns of each fit each other, and that it
/// is where the watermark puts it.
struct SessionRowCheck: RowCheck {
  /// What decides where a session is kept; microseconds.
  struct Placement {
    var gap: Int64
    var watermark: Int64
    /// Not final sessions that begin later are in files of their own.
    var parkedAfter: Int64
    /// The time of the newest batch.
    var timestamp: Int64
  }

  private let path: String
  /// What the partition says.
  private let isFinal: Bool
  private let placement: Placement?
  private var columns: [String: ColumnValues] = [:]
  private var faults: [Fault] = []
  /// Whether the file has not-final sessions of either kind.
  private var hasHot = false
  private var hasParked = false
  private(set) var rowCount: Int64 = 0
  /// The sum of `event_count`.
  private(set) var eventCount: Int64 = 0

  /// The first row that breaks a rule, and how many more do.
  private struct Fault {
    /// The column that the rule is about.
    var column: String
    var code: String
    var place: String
    var expected: String
    var found: String
    var others = 0
  }

  /// - Parameter placement: `nil` when nothing says where sessions belong.
  init(path: String, isFinal: Bool, placement: Placement?) {
    self.path = path
    self.isFinal = isFinal
    self.placement = placement
  }

  mutating func take(_ values: ColumnValues, of leaf: LeafColumn) {
    if leaf.path.count == 1 { columns[leaf.path[0]] = values }
  }

  mutating func finishRowGroup(_ rowGroup: Int, rowCount: Int) -> [Finding] {
    defer { columns = [:] }
    self.rowCount += Int64(rowCount)
    var missing: [String] = []
    let rows = SessionColumnsRead(columns, rowCount: rowCount, &missing)
    guard let rows else {
      return [
        Finding(
          "SESSION_ROW", "\(path), row group \(rowGroup)",
          expected: "values of the table's types in each of \(rowCount) rows",
          found: "none in some rows of \(missing.joined(separator: ", "))")
      ]
    }
    for row in 0..<rowCount {
      eventCount = eventCount.clampedAdding(Int64(rows.events[row]))
      checkName(rows, row)
      checkTimes(rows, row)
      checkCounts(rows, row)
      checkPlace(rows, row)
    }
    return []
  }

  /// What was found in all rows.
  var findings: [Finding] {
    var findings = faults.map { fault in
      Finding(
        fault.code, fault.place, expected: fault.expected,
        found: fault.found + (fault.others > 0 ? " (and \(fault.others) more rows)" : ""))
    }
    if hasHot, hasParked, let placement {
      findings.append(
        Finding(
          "SESSION_PLACE", path,
          expected: "sessions that begin up to \(placement.parkedAfter) µs, or later ones",
          found: "both"))
    }
    return findings
  }

  // MARK: Rules

  private mutating func checkName(_ rows: SessionColumnsRead, _ row: Int) {
    let suffix = "-\(rows.firsts[row])"
    let ends = rows.ids.withBytes(row) { $0.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
    if !ends {
      return note(
        "session_id", rows, row, expected: "a session_id that ends with \(suffix)",
        found: "another one")
    }
    guard let index = rows.customerOfRow?[row], let customers = rows.customers else { return }
    let isVisitor = rows.ids.withBytes(row) { id in
      customers.withBytes(index) { $0.elementsEqual(id.dropLast(suffix.utf8.count)) }
    }
    guard !isVisitor else { return }
    note(
      "customer_id", rows, row, expected: "the visitor of session_id, or null as customer_id",
      found: "another one")
  }

  private mutating func checkTimes(_ rows: SessionColumnsRead, _ row: Int) {
    let (first, last) = (rows.firsts[row], rows.lasts[row])
    guard first <= last else {
      return note(
        "last_event_ts", rows, row, expected: "last_event_ts from \(first) µs", found: "\(last)")
    }
    let date = first.dividedDown(by: 86_400_000_000)
    if Int64(rows.dates[row]) != date {
      note(
        "session_date", rows, row, expected: "session_date \(date) days after 1970",
        found: "\(rows.dates[row])")
    }
    let duration = last.clampedSubtracting(first) / 1_000_000
    if rows.durations[row] != duration {
      note(
        "session_duration_secs", rows, row, expected: "session_duration_secs \(duration)",
        found: "\(rows.durations[row])")
    }
  }

  private mutating func checkCounts(_ rows: SessionColumnsRead, _ row: Int) {
    let kinds = [
      rows.pageViews[row], rows.addsToCart[row], rows.purchases[row], rows.searches[row],
    ]
    let sum = kinds.reduce(into: Int64(0)) { $0 += Int64($1) }
    if rows.events[row] < 1 || kinds.contains(where: { $0 < 0 }) || sum > Int64(rows.events[row]) {
      note(
        "event_count", rows, row, expected: "an event_count of 1 or more that holds its parts",
        found: "\(rows.events[row]), parts \(kinds.map(String.init).joined(separator: ", "))")
    }
    if rows.converted[row] != (rows.purchases[row] > 0) {
      note(
        "converted", rows, row, expected: "converted \(rows.purchases[row] > 0)",
        found: "\(rows.converted[row])")
    }
  }

  private mutating func checkPlace(_ rows: SessionColumnsRead, _ row: Int) {
    guard let placement else { return }
    if rows.updates[row] > placement.timestamp {
      note(
        "updated_at", rows, row, expected: "updated_at up to \(placement.timestamp) µs",
        found: "\(rows.updates[row])")
    }
    let isFinal = rows.lasts[row].clampedAdding(placement.gap) < placement.watermark
    if isFinal != self.isFinal {
      note(
        "is_final", code: "SESSION_PLACE", rows, row,
        expected: "is_final \(isFinal) under the watermark \(placement.watermark) µs",
        found: "\(self.isFinal)")
    }
    guard !self.isFinal else { return }
    // Statistics keep milliseconds, and they tell which files to read.
    let first = rows.firsts[row].dividedDown(by: 1000).clampedMultiplied(by: 1000)
    if first > placement.parkedAfter { hasParked = true } else { hasHot = true }
  }

  private mutating func note(
    _ column: String, code: String = "SESSION_ROW", _ rows: SessionColumnsRead, _ row: Int,
    expected: String, found: String
  ) {
    if let known = faults.firstIndex(where: { $0.column == column }) {
      faults[known].others += 1
      return
    }
    let session = rows.ids.withBytes(row) { VisitorName.text($0) }
    faults.append(
      Fault(
        column: column, code: code, place: "\(path), session \(session)", expected: expected,
        found: found))
  }
}

/// The columns of a row group of sessions, none of them with a null but `customer_id`.
private struct SessionColumnsRead {
  let ids: ByteArrayValues
  let customers: ByteArrayValues?
  /// For each row its value in `customers`.
  let customerOfRow: [Int?]?
  let dates: [Int32]
  let firsts, lasts, durations, updates: [Int64]
  let events, pageViews, addsToCart, purchases, searches: [Int32]
  let converted: [Bool]

  /// - Parameter missing: gets the names of columns that are not as they must be.
  init?(_ columns: [String: ColumnValues], rowCount: Int, _ missing: inout [String]) {
    func column<Value>(
      _ name: String, _ values: (ColumnValues.Storage) -> Value?
    ) -> Value? {
      guard let column = columns[name], column.values.count == rowCount,
        let found = values(column.values)
      else {
        missing.append(name)
        return nil
      }
      return found
    }
    func texts(_ name: String) -> ByteArrayValues? {
      column(name) { if case .byteArray(let values) = $0 { values } else { nil } }
    }
    func longs(_ name: String) -> [Int64]? {
      column(name) {
        switch $0 {
        case .int64(let values), .timestampFromInt96(let values): values
        default: nil
        }
      }
    }
    func integers(_ name: String) -> [Int32]? {
      column(name) { if case .int32(let values) = $0 { values } else { nil } }
    }
    let ids = texts("session_id")
    let dates = integers("session_date")
    let firsts = longs("first_event_ts")
    let lasts = longs("last_event_ts")
    let durations = longs("session_duration_secs")
    let events = integers("event_count")
    let pageViews = integers("page_view_count")
    let addsToCart = integers("add_to_cart_count")
    let purchases = integers("purchase_count")
    let searches = integers("search_count")
    let converted = column("converted") {
      if case .boolean(let values) = $0 { values } else { nil }
    }
    let updates = longs("updated_at")
    guard let ids, let dates, let firsts, let lasts, let durations, let events, let pageViews,
      let addsToCart, let purchases, let searches, let converted, let updates
    else { return nil }
    (self.ids, self.dates, self.firsts, self.lasts) = (ids, dates, firsts, lasts)
    (self.durations, self.updates, self.converted) = (durations, updates, converted)
    (self.events, self.pageViews, self.addsToCart) = (events, pageViews, addsToCart)
    (self.purchases, self.searches) = (purchases, searches)
    if let column = columns["customer_id"], case .byteArray(let values) = column.values {
      customers = values
      customerOfRow = column.entries { $0 }
    } else {
      (customers, customerOfRow) = (nil, nil)
    }
  }
}
