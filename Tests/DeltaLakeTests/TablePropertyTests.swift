import Testing

@testable import DeltaLake

struct TablePropertyTests {
  @Test(
    arguments: [
      ("interval 1 week", 604_800_000), ("interval 30 days", 2_592_000_000), ("1 hour", 3_600_000),
      ("INTERVAL 1 DAY 2 HOURS", 93_600_000), ("interval 0 seconds", 0),
    ] as [(String, Int64)])
  func `intervals are read as milliseconds`(text: String, milliseconds: Int64) {
    #expect(TableProperty.milliseconds(text) == milliseconds)
  }

  @Test(arguments: [
    "", "interval", "interval 1", "1 fortnight", "x days", "interval 9223372036854775807 weeks",
  ])
  func `anything else is no interval`(text: String) {
    #expect(TableProperty.milliseconds(text) == nil)
  }
}
