/// What both clocks say at one moment, in milliseconds.
package struct ClockReading: Equatable, Sendable {
  /// Of a clock that nobody sets.
  package var monotonic: Int64
  /// Since 1970, by the time of day; it can jump both ways.
  package var wall: Int64

  package init(monotonic: Int64, wall: Int64) {
    self.monotonic = monotonic
    self.wall = wall
  }

  package static var now: ClockReading {
    ClockReading(monotonic: MonotonicClock.milliseconds(), wall: wallClockMilliseconds())
  }
}
