import Testing

@testable import Pipeline

@Suite struct RebuildIntentTests {
  private let intent = RebuildIntent(queryID: "6c5f", batch: 4, bronzeVersion: 17)

  @Test func `the intent is the documented JSON`() {
    #expect(
      String(decoding: intent.bytes, as: UTF8.self)
        == #"{"queryId":"6c5f","batch":4,"bronzeVersion":17}"#)
  }

  @Test func `it reads back as it was`() throws {
    #expect(try RebuildIntent(bytes: intent.bytes, path: "intent") == intent)
  }

  @Test(arguments: ["", "{}", "[]", #"{"queryId":"6c5f","batch":4}"#, "{\"queryId\":\"6c"])
  func `a damaged one names its file and the way out`(text: String) {
    let error = #expect(throws: PipelineError.self) {
      try RebuildIntent(bytes: Array(text.utf8), path: "/state/silver/.rebuild/intent")
    }
    #expect(error?.code == "REBUILD_DAMAGED")
    #expect(error?.message.contains("/state/silver/.rebuild/intent") == true)
    #expect(error?.remedy.contains("silver rebuild --yes") == true)
  }
}
