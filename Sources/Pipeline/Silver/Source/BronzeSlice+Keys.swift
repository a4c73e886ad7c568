internal import Clickstream
internal import Parquet

/// What duplicates and sessions need to know of the rows.
extension BronzeSlice {
  /// Replaces the content of `rows` by the keys of all rows, in their order.
  ///
  /// - Parameter statistics: gets the arrival of the rows.
  /// - Throws: BRONZE_ROW naming file, row group, row and column where a value is missing or
  ///   impossible, which no row of ours has; `ParquetError`. `rows` then holds some of the rows.
  func readKeys(into rows: EventRows, statistics: inout ArrivalStatistics) throws {
    rows.removeAll()
    rows.reserve(rowCount)
    let keys = KeyColumns()
    for part in parts {
      try readVisitors(of: part, rows.visitors, into: keys)
      try readKinds(of: part, into: keys)
      try readHashes(of: part, into: keys)
      try append(part, keys, to: rows)
      if let arrivals = try keptColumn("kafka_timestamp", part)?.values {
        if let times = arrivals.timestamps { statistics.include(times) }
      }
    }
  }

  /// The visitor is the customer where there is one, else the browser's session.
  private func readVisitors(
    of part: Part, _ visitors: VisitorTable, into keys: KeyColumns
  ) throws {
    keys.reset(rowCount: part.rows.count)
    if let column = try keptColumn("customer_id", part) {
      guard case .byteArray(let customers) = column.values else {
        throw otherType("customer_id", part)
      }
      customers.withStored { stored in
        let numbers = VisitorNumbers(stored, visitors)
        let levels = column.definitionLevels
        let (count, present) = (keys.visitors.count, column.maxDefinitionLevel)
        var value = 0
        for row in 0..<count where levels.isEmpty || levels[row] == present {
          keys.visitors[row] = numbers.number(ofValue: value)
          value &+= 1
        }
        keys.anonymousCount = count - value
      }
    }
    let sessions = try requiredText("session_id", part)
    keys.isIdentified.removeAll(keepingCapacity: true)
    keys.isIdentified.append(contentsOf: keys.visitors.lazy.map { $0 != KeyColumns.nobody })
    guard keys.anonymousCount > 0 else { return }
    sessions.withStored { stored in
      let numbers = VisitorNumbers(stored, visitors)
      for row in keys.visitors.indices where keys.visitors[row] == KeyColumns.nobody {
        keys.visitors[row] = numbers.number(ofValue: row)
      }
    }
  }

  private func readKinds(of part: Part, into keys: KeyColumns) throws {
    try requiredText("event_type", part).withStored { stored in
      let kinds = (0..<stored.count).map { EventKind(stored[$0]) }
      keys.kinds.removeAll(keepingCapacity: true)
      keys.kinds.append(contentsOf: stored.indices.lazy.map { kinds[Int($0)] })
    }
  }

  private func readHashes(of part: Part, into keys: KeyColumns) throws {
    try requiredText("event_id", part).withStored { stored in
      keys.hashes.removeAll(keepingCapacity: true)
      if stored.count <= stored.indices.count / 2 {
        let hashes = (0..<stored.count).map { EventHash.of(stored[$0]) }
        keys.hashes.append(contentsOf: stored.indices.lazy.map { hashes[Int($0)] })
      } else {
        keys.hashes.append(contentsOf: stored.indices.lazy.map { EventHash.of(stored[Int($0)]) })
      }
    }
  }

  private func append(_ part: Part, _ keys: KeyColumns, to rows: EventRows) throws {
    let times = try requiredTimes("event_ts", part)
    let arrivals = try requiredTimes("ingested_at", part)
    let partitions = try requiredIntegers("kafka_partition", part)
    let offsets = try requiredLongs("kafka_offset", part)
    for row in 0..<part.rows.count {
      rows.append(
        visitor: keys.visitors[row], isIdentified: keys.isIdentified[row], kind: keys.kinds[row],
        time: times[row], eventIDHash: keys.hashes[row],
        position: SourcePosition(
          ingestedAt: arrivals[row], partition: partitions[row], offset: offsets[row]))
    }
  }

  /// Times of the years 1 to 9999, as `timestamp` has them.
  private func requiredTimes(_ name: String, _ part: Part) throws -> [Int64] {
    let possible = EventTime.instants
    let times = try requiredLongs(name, part)
    if let least = times.min(), let greatest = times.max(),
      !possible.contains(least) || !possible.contains(greatest)
    {
      let row = times.firstIndex { !possible.contains($0) } ?? 0
      throw BronzeError.row(
        part.place(row: row),
        "expected a time of the years 1 to 9999 in \(name), found \(times[row]) microseconds")
    }
    return times
  }
}

/// The keys of one row group, column by column; the memory serves the next one again.
private final class KeyColumns {
  static let nobody: Int32 = -1

  var visitors: [Int32] = []
  var isIdentified: [Bool] = []
  var kinds: [EventKind] = []
  var hashes: [UInt64] = []
  var anonymousCount = 0

  func reset(rowCount: Int) {
    visitors.removeAll(keepingCapacity: true)
    visitors.append(contentsOf: repeatElement(Self.nobody, count: rowCount))
    anonymousCount = rowCount
  }
}

/// The visitors of a column, each looked up once.
private final class VisitorNumbers {
  private let stored: ByteArrayValues.Stored
  private let visitors: VisitorTable
  private let numbers: UnsafeMutablePointer<Int32>

  init(_ stored: ByteArrayValues.Stored, _ visitors: VisitorTable) {
    self.stored = stored
    self.visitors = visitors
    numbers = .allocate(capacity: stored.count)
    numbers.initialize(repeating: KeyColumns.nobody, count: stored.count)
  }

  deinit { numbers.deallocate() }

  @inline(__always)
  func number(ofValue value: Int) -> Int32 {
    let index = Int(stored.indices[value])
    if numbers[index] == KeyColumns.nobody { numbers[index] = visitors.id(of: stored[index]) }
    return numbers[index]
  }
}

extension ColumnValues.Storage {
  fileprivate var timestamps: [Int64]? {
    switch self {
    case .int64(let values), .timestampFromInt96(let values): values
    default: nil
    }
  }
}
