import StreamCheckpoint
import Testing

@Suite struct DeltaSourceOffsetTests {
  private static let id = "4cd3a39d-2332-4af7-b306-ec1897a2c95f"

  /// Texts that Spark 3.5 with Delta 3.3 wrote.
  @Test(arguments: [
    (
      #"{"sourceVersion":1,"reservoirId":"4cd3a39d-2332-4af7-b306-ec1897a2c95f","#
        + #""reservoirVersion":2,"index":-1,"isStartingVersion":false}"#,
      DeltaSourceOffset(reservoirID: id, version: 2)
    ),
    (
      #"{"sourceVersion":1,"reservoirId":"4cd3a39d-2332-4af7-b306-ec1897a2c95f","#
        + #""reservoirVersion":1,"index":5,"isStartingVersion":true}"#,
      DeltaSourceOffset(reservoirID: id, version: 1, index: 5, isStartingVersion: true)
    ),
  ])
  func `an offset is the text of Spark, to the byte, both ways`(
    text: String, offset: DeltaSourceOffset
  ) throws {
    #expect(try DeltaSourceOffset(json: text, path: "offsets/0") == offset)
    #expect(offset.json == text)
  }

  @Test func `unknown fields and another order are read`() throws {
    let text =
      #"{"index":3, "later":[1], "isStartingVersion":false, "reservoirVersion":7, "#
      + #""reservoirId":"x", "sourceVersion":1}"#
    #expect(
      try DeltaSourceOffset(json: text, path: "offsets/0")
        == DeltaSourceOffset(reservoirID: "x", version: 7, index: 3))
  }

  private static func text(
    _ version: String = "1", _ id: String = "\"x\"", _ reservoirVersion: String = "0",
    _ index: String = "-1", _ starting: String = "false"
  ) -> String {
    #"{"sourceVersion":\#(version),"reservoirId":\#(id),"reservoirVersion":\#(reservoirVersion),"#
      + #""index":\#(index),"isStartingVersion":\#(starting)}"#
  }

  @Test(arguments: [
    ("", "sourceVersion"), ("{}", "sourceVersion"),
    (text("2"), "sourceVersion"), (text("3", "\"x\"", "4", "-20"), "sourceVersion"),
    (text("1", "null"), "reservoirId"), (text("1", "\"\""), "reservoirId"),
    (text("1", "\"x\"", "-1"), "reservoirVersion"), (text("1", "\"x\"", "0.5"), "reservoirVersion"),
    (text("1", "\"x\"", "9223372036854775807"), "reservoirVersion"),
    (text("1", "\"x\"", "0", "-2"), "index"), (text("1", "\"x\"", "0", "null"), "index"),
    (text("1", "\"x\"", "0", "9223372036854775807"), "index"),
    (text("1", "\"x\"", "0", "0", "0"), "isStartingVersion"),
    (text("1", "\"x\"", "0", "0", "null"), "isStartingVersion"),
    ("[1]", "offset of the Delta source"),
  ])
  func `anything else is refused and says which field`(text: String, field: String) {
    let error = #expect(throws: CheckpointError.self) {
      try DeltaSourceOffset(json: text, path: "offsets/7")
    }
    #expect(error?.field == field)
    #expect(error?.path == "offsets/7")
  }

  @Test func `offsets are ordered by version and then by file`() {
    let offsets = [
      DeltaSourceOffset(reservoirID: "x", version: 1, index: -1, isStartingVersion: true),
      DeltaSourceOffset(reservoirID: "x", version: 1, index: 4, isStartingVersion: true),
      DeltaSourceOffset(reservoirID: "x", version: 2, index: -1),
      DeltaSourceOffset(reservoirID: "x", version: 2, index: 0),
    ]
    for (place, offset) in offsets.enumerated() {
      for (otherPlace, other) in offsets.enumerated() {
        #expect(offset.isBefore(other) == (place < otherPlace))
      }
    }
  }
}
