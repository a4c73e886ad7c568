/// Collects texts (`width` nil) or byte strings of one width.
struct ByteArrayBuilder: ValueBuilder {
  private let width: Int?
  private let byteLimit: Int
  private var values = ByteArrayValues()

  init(width: Int?, byteLimit: Int) {
    self.width = width
    self.byteLimit = byteLimit
  }

  /// The dictionary's values are the first that are stored.
  private(set) var dictionaryCount = 0
  var storage: ColumnValues.Storage { width == nil ? .byteArray(values) : .fixed(values) }

  mutating func readDictionary(_ cursor: inout ByteCursor, count: Int) throws(ParquetError) {
    try plain(&cursor, count: count)
    dictionaryCount = count
  }

  mutating func append(indices: [UInt32]) { values.append(stored: indices) }

  mutating func append(
    _ cursor: inout ByteCursor, count: Int, encoding: Encoding
  ) throws(ParquetError) {
    let stored = values.storedCount
    switch (encoding, width) {
    case (.plain, _): try plain(&cursor, count: count)
    case (.deltaLengthByteArray, nil): try deltaLength(&cursor, count: count)
    case (.deltaByteArray, _): try deltaBytes(&cursor, count: count)
    case (.byteStreamSplit, .some(let width)):
      try byteStreamSplit(&cursor, count: count, width: width)
    default: throw unexpected(encoding, cursor)
    }
    values.appendStored(from: stored)
  }

  private func checkRoom(_ count: Int, _ cursor: ByteCursor) throws(ParquetError) {
    guard count <= byteLimit - values.storedByteCount else {
      throw cursor.error(.tooLarge, "a column chunk has more than \(byteLimit) bytes of values")
    }
  }

  /// Takes the bytes over in one piece, the lengths between them included.
  private mutating func plain(
    _ cursor: inout ByteCursor, count: Int
  ) throws(ParquetError) {
    let page = cursor.rest
    var ranges = [ByteArrayValues.ByteRange](repeating: .empty, count: 0)
    ranges.reserveCapacity(min(count, page.count / 4 + 1))
    var place = 0
    for _ in 0..<count {
      let length: Int
      if let width {
        length = width
      } else {
        length = Int(try cursor.uint32("the length of a value"))
        place += 4
      }
      try cursor.skip(length, "a value")
      // Within the page, which is below 4 GiB.
      ranges.append(.init(start: UInt32(place), count: UInt32(length)))
      place += length
    }
    try checkRoom(place, cursor)
    values.store(UnsafeRawBufferPointer(rebasing: page[..<place]), ranges: ranges)
  }

  /// Encodings.md, "Delta-length byte array": all lengths, then all bytes.
  private mutating func deltaLength(
    _ cursor: inout ByteCursor, count: Int
  ) throws(ParquetError) {
    let lengths = try DeltaDecoder.lengths(&cursor, count: count)
    let total = lengths.reduce(0) { $0 + Int($1) }
    let bytes = try cursor.take(total, "the bytes of values")
    try checkRoom(total, cursor)
    var start: UInt32 = 0
    let ranges = lengths.map { length in
      defer { start += UInt32(length) }
      return ByteArrayValues.ByteRange(start: start, count: UInt32(length))
    }
    values.store(bytes, ranges: ranges)
  }

  /// Encodings.md, "Delta Strings": how much of the previous value is shared, then the suffixes.
  private mutating func deltaBytes(
    _ cursor: inout ByteCursor, count: Int
  ) throws(ParquetError) {
    let prefixes = try DeltaDecoder.lengths(&cursor, count: count)
    let suffixes = try DeltaDecoder.lengths(&cursor, count: count)
    var previous = ByteArrayValues.ByteRange(start: 0, count: 0)
    for (prefix, suffix) in zip(prefixes, suffixes) {
      guard prefix <= Int(previous.count) else {
        throw cursor.error(
          .corruptPage, "a value shares \(prefix) bytes with one of \(previous.count)")
      }
      let bytes = try cursor.take(Int(suffix), "a suffix")
      let length = Int(prefix) + bytes.count
      guard width == nil || width == length else {
        throw cursor.error(.corruptPage, "a value of \(length) bytes in a column of fixed length")
      }
      try checkRoom(length, cursor)
      previous = values.store(prefix: previous, count: Int(prefix), suffix: bytes)
    }
  }

  private mutating func byteStreamSplit(
    _ cursor: inout ByteCursor, count: Int, width: Int
  ) throws(ParquetError) {
    let (total, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow else { throw cursor.error(.tooLarge, "\(count) values of \(width) bytes") }
    let split = try cursor.take(total, "the streams of bytes")
    try checkRoom(total, cursor)
    let joined = ByteBlock(count: total)
    for index in 0..<count {
      for stream in 0..<width {
        joined.bytes[index &* width &+ stream] = split[stream &* count &+ index]
      }
    }
    let ranges = (0..<count).map { index in
      ByteArrayValues.ByteRange(start: UInt32(index * width), count: UInt32(width))
    }
    values.store(UnsafeRawBufferPointer(joined.bytes), ranges: ranges)
  }
}

/// The old timestamps of Spark and Impala: nanoseconds of the day, then the Julian day.
struct Int96Builder: ValueBuilder {
  private static let julianDayOfEpoch = 2_440_588
  private static let microsecondsPerDay = 86_400_000_000

  private var values: [Int64] = []
  private var dictionary: [Int64] = []

  var dictionaryCount: Int { dictionary.count }
  var storage: ColumnValues.Storage { .timestampFromInt96(values) }

  mutating func readDictionary(_ cursor: inout ByteCursor, count: Int) throws(ParquetError) {
    for _ in 0..<count { dictionary.append(try Self.plain(&cursor)) }
  }

  mutating func append(indices: [UInt32]) { values.append(indices, of: dictionary) }

  mutating func append(
    _ cursor: inout ByteCursor, count: Int, encoding: Encoding
  ) throws(ParquetError) {
    guard encoding == .plain else { throw unexpected(encoding, cursor) }
    for _ in 0..<count { values.append(try Self.plain(&cursor)) }
  }

  private static func plain(_ cursor: inout ByteCursor) throws(ParquetError) -> Int64 {
    let bytes = try cursor.take(12, "an INT96 timestamp")
    let nanoseconds = bytes.loadUnaligned(as: Int64.self)
    let day = Int(bytes.loadUnaligned(fromByteOffset: 8, as: Int32.self))
    // Any day of 32 bits times the microseconds of a day fits into 63 bits only up to year 294247.
    let (start, overflow) = (day - julianDayOfEpoch)
      .multipliedReportingOverflow(by: microsecondsPerDay)
    let (quotient, remainder) = Int(nanoseconds).quotientAndRemainder(dividingBy: 1000)
    let (sum, passed) = start.addingReportingOverflow(remainder < 0 ? quotient - 1 : quotient)
    guard !overflow, !passed else {
      throw cursor.error(.corruptPage, "Julian day \(day) is out of the range of timestamps")
    }
    return Int64(sum)
  }
}
