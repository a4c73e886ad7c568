/// Collects texts (`width` nil) or byte strings of one width.
struct ByteArrayBuilder: ValueBuilder {
  private let width: Int?
  private let byteLimit: Int
  private var values = ByteArrayValues()
  private var dictionary: [ByteArrayValues.ByteRange] = []

  init(width: Int?, byteLimit: Int) {
    self.width = width
    self.byteLimit = byteLimit
  }

  var dictionaryCount: Int { dictionary.count }
  var storage: ColumnValues.Storage { width == nil ? .byteArray(values) : .fixed(values) }

  mutating func readDictionary(_ cursor: inout ByteCursor, count: Int) throws(ParquetError) {
    for _ in 0..<count { dictionary.append(try plain(&cursor)) }
  }

  mutating func append(indices: [UInt32]) {
    for index in indices { values.append(dictionary[Int(index)]) }
  }

  mutating func append(
    _ cursor: inout ByteCursor, count: Int, encoding: Encoding
  ) throws(ParquetError) {
    switch (encoding, width) {
    case (.plain, _):
      for _ in 0..<count { values.append(try plain(&cursor)) }
    case (.deltaLengthByteArray, nil): try deltaLength(&cursor, count: count)
    case (.deltaByteArray, _): try deltaBytes(&cursor, count: count)
    case (.byteStreamSplit, .some(let width)):
      try byteStreamSplit(&cursor, count: count, width: width)
    default: throw unexpected(encoding, cursor)
    }
  }

  private func checkRoom(_ count: Int, _ cursor: ByteCursor) throws(ParquetError) {
    guard count <= byteLimit - values.storedByteCount else {
      throw cursor.error(.tooLarge, "a column chunk has more than \(byteLimit) bytes of values")
    }
  }

  private mutating func plain(
    _ cursor: inout ByteCursor
  ) throws(ParquetError) -> ByteArrayValues.ByteRange {
    let count: Int
    if let width { count = width } else { count = Int(try cursor.uint32("the length of a value")) }
    let bytes = try cursor.take(count, "a value")
    try checkRoom(count, cursor)
    return values.store(bytes)
  }

  /// Encodings.md, "Delta-length byte array": all lengths, then all bytes.
  private mutating func deltaLength(
    _ cursor: inout ByteCursor, count: Int
  ) throws(ParquetError) {
    let lengths = try DeltaDecoder.lengths(&cursor, count: count)
    let total = lengths.reduce(0) { $0 + Int($1) }
    let bytes = try cursor.take(total, "the bytes of values")
    try checkRoom(total, cursor)
    var range = values.store(bytes)
    for length in lengths {
      range.count = UInt32(length)
      values.append(range)
      range.start += UInt32(length)
    }
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
      values.append(previous)
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
      let end = (index + 1) &* width
      let value = UnsafeRawBufferPointer(rebasing: joined.bytes[end - width..<end])
      values.append(values.store(value))
    }
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

  mutating func append(indices: [UInt32]) {
    for index in indices { values.append(dictionary[Int(index)]) }
  }

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
