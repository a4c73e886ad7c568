import Clickstream
import DeltaLake
import Foundation
import Parquet

/// One row of the sessions table, all columns as they are in the files.
struct StoredSession: Hashable, Comparable {
  var id: String
  var customer: String?
  var date: Int32
  var first, last, duration: Int64
  var events, pageViews, addsToCart, purchases, searches: Int32
  var converted: Bool
  var isFinal: Bool
  var updatedAt: Int64

  static func < (left: StoredSession, right: StoredSession) -> Bool {
    (left.first, left.id) < (right.first, right.id)
  }

  /// The session of these events, in the order of time.
  init(_ visitor: String, _ events: [SessionsFixture.Event]) {
    let times = events.map(\.time)
    first = times.first ?? 0
    last = times.last ?? 0
    id = "\(visitor)-\(first)"
    customer = events.contains(where: \.isIdentified) ? visitor : nil
    date = Int32((first - (first < 0 ? SessionsFixture.day - 1 : 0)) / SessionsFixture.day)
    duration = (last - first) / 1_000_000
    self.events = Int32(events.count)
    pageViews = Int32(events.count { $0.kind == .pageView })
    addsToCart = Int32(events.count { $0.kind == .addToCart })
    purchases = Int32(events.count { $0.kind == .purchase })
    searches = Int32(events.count { $0.kind == .search })
    converted = purchases > 0
    isFinal = false
    updatedAt = 0
  }

  private init(_ file: FileColumns, _ row: Int, isFinal: Bool) {
    id = file.texts("session_id")[row] ?? "null"
    customer = file.texts("customer_id")[row]
    date = file.numbers("session_date")[row].flatMap(Int32.init(exactly:)) ?? .min
    first = file.numbers("first_event_ts")[row] ?? .min
    last = file.numbers("last_event_ts")[row] ?? .min
    duration = file.numbers("session_duration_secs")[row] ?? .min
    func count(_ name: String) -> Int32 {
      file.numbers(name)[row].flatMap(Int32.init(exactly:)) ?? .min
    }
    events = count("event_count")
    pageViews = count("page_view_count")
    addsToCart = count("add_to_cart_count")
    purchases = count("purchase_count")
    searches = count("search_count")
    converted = file.numbers("converted")[row] == 1
    self.isFinal = isFinal
    updatedAt = file.numbers("updated_at")[row] ?? .min
  }

  /// All rows of the table, sorted.
  static func read(_ table: DeltaTable) throws -> [StoredSession] {
    try table.liveFiles().flatMap { try read($0, of: table) }.sorted()
  }

  static func read(_ file: AddFile, of table: DeltaTable) throws -> [StoredSession] {
    let columns = try FileColumns(table.openFile(file))
    let isFinal = file.partitionValues["is_final"] == .some("true")
    return (0..<columns.rowCount).map { StoredSession(columns, $0, isFinal: isFinal) }
  }

  /// The row in the notation of the Python readers.
  var text: String {
    [
      "add_to_cart_count=\(addsToCart)", "converted=\(converted)",
      "customer_id=\(customer ?? "null")", "event_count=\(events)", "first_event_ts=\(first)",
      "is_final=\(isFinal)", "last_event_ts=\(last)", "page_view_count=\(pageViews)",
      "purchase_count=\(purchases)", "search_count=\(searches)", "session_date=\(date)",
      "session_duration_secs=\(duration)", "session_id=\(id)", "updated_at=\(updatedAt)",
    ].joined(separator: "|")
  }
}

/// All columns of a file as texts or numbers, by name.
private struct FileColumns {
  private var allTexts: [String: [String?]] = [:]
  private var allNumbers: [String: [Int64?]] = [:]
  let rowCount: Int

  init(_ reader: FileReader) throws {
    rowCount = (0..<reader.rowGroupCount).reduce(0) { $0 + reader.rowCount(ofRowGroup: $1) }
    for (leaf, column) in reader.schema.leaves.enumerated() {
      for rowGroup in 0..<reader.rowGroupCount {
        let chunk = try reader.readColumn(rowGroup: rowGroup, leaf: leaf)
        switch chunk.values {
        case .byteArray(let values):
          allTexts[column.name, default: []] += chunk.entries { values.string($0) }
        case .int64(let values), .timestampFromInt96(let values):
          allNumbers[column.name, default: []] += chunk.entries { values[$0] }
        case .int32(let values):
          allNumbers[column.name, default: []] += chunk.entries { Int64(values[$0]) }
        case .boolean(let values):
          allNumbers[column.name, default: []] += chunk.entries { values[$0] ? 1 : 0 }
        default: break
        }
      }
    }
  }

  func texts(_ name: String) -> [String?] {
    allTexts[name] ?? [String?](repeating: nil, count: rowCount)
  }

  func numbers(_ name: String) -> [Int64?] {
    allNumbers[name] ?? [Int64?](repeating: nil, count: rowCount)
  }
}
