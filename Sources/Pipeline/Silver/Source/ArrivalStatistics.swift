/// When the rows of a batch reached Kafka, for the report of how far behind Silver is.
struct ArrivalStatistics: Equatable {
  /// Rows with a `kafka_timestamp`.
  private(set) var count: Int64 = 0
  /// The least `kafka_timestamp`, microseconds since 1970.
  private(set) var earliest: Int64?
  /// A million times of today overflow 64 bits.
  private(set) var sum: Int128 = 0

  /// Microseconds since 1970.
  var mean: Int64? { count == 0 ? nil : Int64(sum / Int128(count)) }

  mutating func include(_ times: [Int64]) {
    guard let least = times.min() else { return }
    earliest = min(earliest ?? least, least)
    count += Int64(times.count)
    // In two halves, which fit 64 bits for the rows of any row group.
    var (high, low): (Int64, Int64) = (0, 0)
    for time in times {
      high &+= time >> 32
      low &+= time & 0xFFFF_FFFF
    }
    sum += Int128(high) << 32 + Int128(low)
  }
}
