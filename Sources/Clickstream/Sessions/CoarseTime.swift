/// Times in 18 bits: exact to a second near a base, and to an 8,192nd of the distance from there.
///
/// A code says only that the event was before the code's end: re-basing rounds up.
struct CoarseTime {
  static let bits: UInt64 = 18
  static let mask: UInt64 = 1 << bits - 1
  /// An event so far in the future that its time is not kept; 0 is no code.
  static let far = mask
  /// All times before the base.
  private static let ancient: UInt64 = 1
  private static let unitBits: UInt64 = 20
  private static let mantissaBits: UInt64 = 13

  let base: Int64

  init(base: Int64) {
    let times = EventRows.representableTimes
    self.base = min(max(base, times.lowerBound), times.upperBound)
  }

  /// The code of a representable time.
  @inline(__always)
  func code(of time: Int64) -> UInt64 {
    guard time >= base else { return Self.ancient }
    let units = UInt64(bitPattern: time &- base) >> Self.unitBits
    let shift = UInt64(max(0, 63 - Int(Self.mantissaBits) - units.leadingZeroBitCount))
    return shift << Self.mantissaBits &+ (units >> shift) &+ 2
  }

  /// The earliest time after all times of the code.
  func end(of code: UInt64) -> Int64 {
    guard code > Self.ancient else { return base }
    let next = code &- 1
    guard next >= 2 << Self.mantissaBits else { return base &+ Int64(next << Self.unitBits) }
    let shift = next >> Self.mantissaBits &- 1
    let mantissa = next & (1 << Self.mantissaBits - 1) | 1 << Self.mantissaBits
    return base &+ Int64(mantissa << (shift + Self.unitBits))
  }

  /// The code over another base of what is before this code's end.
  @inline(__always)
  func rebased(_ code: UInt64, to other: CoarseTime) -> UInt64 {
    code == Self.far ? Self.far : other.code(of: end(of: code) &- 1)
  }
}
