import StreamCheckpoint
import Testing

@Suite struct LogFileTests {
  private let entry = OffsetLogEntry(
    batchWatermarkMs: 0, batchTimestampMs: 1_795_362_092_336, confJSON: #"{"a":"b"}"#,
    sources: [#"{"t":{"0":10}}"#])

  @Test func `an offsets file is Spark's, byte for byte`() {
    #expect(
      String(decoding: entry.bytes, as: UTF8.self) == """
        v1
        {"batchWatermarkMs":0,"batchTimestampMs":1795362092336,"conf":{"a":"b"}}
        {"t":{"0":10}}
        """)
  }

  @Test func `a commits file is Spark's, byte for byte`() {
    #expect(CommitLogEntry().bytes == Array("v1\n{\"nextBatchWatermarkMs\":0}".utf8))
    #expect(CommitLogEntry().bytes.count == 29)
  }

  @Test func `what was written reads back, conf verbatim`() throws {
    #expect(try OffsetLogEntry(bytes: entry.bytes, path: "f") == entry)
    var other = entry
    other.sources = [nil, "x"]
    other.confJSON = OffsetLogEntry.newCheckpointConf
    #expect(try OffsetLogEntry(bytes: other.bytes, path: "f") == other)
  }

  @Test(arguments: [
    "v1\n{}\nX", "v1\n\nX", "v1\r\n{}\r\nX\r\n", "v1\n{\"unknown\":1}\nX\n",
    "v1\n{\"conf\":{}}\nX",
  ])
  func `what Spark tolerates is tolerated`(text: String) throws {
    let read = try OffsetLogEntry(bytes: Array(text.utf8), path: "f")
    #expect(read.sources == ["X"])
    #expect(read.batchTimestampMs == 0)
  }

  @Test(arguments: ["v1", "v1\n{}", "v1\n{}\n", "v1\n{\"x\":1}", "v1\r\n{}\r\n"])
  func `a commit may say little`(text: String) throws {
    #expect(try CommitLogEntry(bytes: Array(text.utf8), path: "f").nextBatchWatermarkMs == 0)
  }

  @Test(arguments: [
    "", "\n", "v2\n{}\nX", "v3", "V1\n{}\nX", "v1\n{}", "v1\n[]\nX", "v1\n{\nX", "1\n{}\nX",
    "v1\n\n\n\n",
    "v1\n{\"batchTimestampMs\":-5}\nX", "v1\n{\"batchTimestampMs\":\"5\"}\nX",
  ])
  func `other offsets files are refused with file, expected and found`(text: String) {
    let error = #expect(throws: CheckpointError.self) {
      try OffsetLogEntry(bytes: Array(text.utf8), path: "/c/offsets/7")
    }
    #expect(error?.description.hasPrefix("/c/offsets/7: ") == true)
    #expect(error?.description.contains("expected") == true)
  }

  @Test func `a newer version names Spark's setting`() {
    let offsets = #expect(throws: CheckpointError.self) {
      try OffsetLogEntry(bytes: Array("v2\n{}\n0:{}".utf8), path: "f")
    }
    #expect(offsets?.found.contains("spark.sql.streaming.offsetLog.formatVersion") == true)
    #expect(throws: CheckpointError.self) {
      try CommitLogEntry(bytes: Array("v2\n{}".utf8), path: "f")
    }
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    #expect(throws: CheckpointError.self) {
      try OffsetLogEntry(bytes: Array("v1\n{}\n".utf8) + [0xFF], path: "f")
    }
  }
}
