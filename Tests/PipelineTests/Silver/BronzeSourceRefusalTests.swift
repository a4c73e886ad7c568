import DeltaLake
import Foundation
import StreamCheckpoint
import Testing

@testable import Pipeline

/// What must not be read as if nothing had happened.
@Suite struct BronzeSourceRefusalTests {
  private func refusal(
    of log: BronzeSourceLog, from start: DeltaSourceOffset, _ source: BronzeSource? = nil
  ) throws -> PipelineError? {
    let source = try source ?? log.source()
    let end = try source.endOffset()
    let planned = #expect(throws: PipelineError.self) {
      try source.plan(from: start, upTo: end, maxRows: .max, maxBytes: .max)
    }
    let replayed = #expect(throws: PipelineError.self) {
      try source.files(from: start, to: end)
    }
    #expect(planned == replayed)
    return planned
  }

  @Test func `another table in the same place`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    let start = DeltaSourceOffset(reservoirID: "another", version: 0)
    let error = try refusal(of: log, from: start)
    #expect(error?.code == "BRONZE_RECREATED")
    #expect(error?.message.contains("another") == true)
    #expect(error?.message.contains(log.id) == true)
  }

  @Test func `a table that was recreated while it was open`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    let source = try log.source()
    let start = log.offset(0)
    try FileManager.default.removeItem(atPath: log.path + "/_delta_log")
    try FileManager.default.createDirectory(
      atPath: log.path + "/_delta_log", withIntermediateDirectories: true)
    try log.write(0, [BronzeSourceLog.protocolVersions, log.metadata(id: "new")])
    #expect(try source.refresh())
    #expect(try refusal(of: log, from: start, source)?.code == "BRONZE_RECREATED")
  }

  @Test func `a commit that is gone`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(1, [BronzeSourceLog.add("b")])
    try log.write(2, [BronzeSourceLog.add("c")])
    let source = try log.source()
    try log.removeCommit(1)
    let error = try refusal(of: log, from: log.offset(1), source)
    #expect(error?.code == "BRONZE_LOG_GAP")
    #expect(error?.message.contains("version 1") == true)
    #expect(error?.remedy.contains("silver rebuild") == true)
  }

  @Test func `a snapshot that the log no longer tells`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(1, [BronzeSourceLog.add("b")])
    let source = try log.source()
    try log.removeCommit(0)
    let error = try refusal(of: log, from: log.offset(1, starting: true), source)
    #expect(error?.code == "BRONZE_LOG_GAP")
  }

  @Test func `a table that is older than the checkpoint`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    #expect(try refusal(of: log, from: log.offset(2))?.code == "BRONZE_LOG_GAP")
  }

  @Test func `rows that were taken out`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(
      1,
      [
        BronzeSourceLog.add("b"), BronzeSourceLog.remove("a%20b", dataChange: true),
      ])
    let error = try refusal(of: log, from: log.offset(1))
    #expect(error?.code == "BRONZE_REWRITTEN")
    #expect(error?.message.contains("a b") == true)
    #expect(error?.remedy.contains("shopmetricsctl silver rebuild") == true)
    let rebuilt = try log.source().batches(
      from: log.offset(1, starting: true), maxRows: .max)
    #expect(rebuilt.map(\.names) == [["a", "b"]], "a rebuild starts behind the rewriting")
  }

  @Test(arguments: [
    BronzeSchema.raw.fields.dropLast(), [StructField("event_id", .long)][...],
  ])
  func `a schema that Silver cannot use`(fields: ArraySlice<StructField>) throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(1, [log.metadata(Array(fields))])
    #expect(try refusal(of: log, from: log.offset(0))?.code == "BRONZE_SCHEMA")
  }

  @Test func `a column that went away again`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(1, [log.metadata(BronzeSchema.raw.fields + [StructField("extra", .long)])])
    try log.write(2, [log.metadata()])
    let error = try refusal(of: log, from: log.offset(0))
    #expect(error?.code == "BRONZE_SCHEMA")
    #expect(error?.message.contains("extra") == true)
  }

  @Test func `partition columns, whose values are not in the files`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(1, [log.metadata(partitionColumns: ["page"])])
    #expect(try refusal(of: log, from: log.offset(0))?.code == "BRONZE_SCHEMA")
  }

  @Test func `a data file that is gone, when it is counted and when it is read`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a%20b", rows: nil)])
    let source = try log.source()
    let error = #expect(throws: PipelineError.self) {
      try source.plan(
        from: log.offset(0), upTo: log.offset(1), maxRows: 1, maxBytes: 1)
    }
    #expect(error?.code == "BRONZE_FILE_MISSING")
    #expect(error?.message.contains("\(log.path)/a b") == true)
    let files = try source.files(from: log.offset(0), to: log.offset(1))
    let reading = #expect(throws: PipelineError.self) {
      try source.slices(of: files, maxRows: 1).next()
    }
    #expect(reading?.code == "BRONZE_FILE_MISSING")
  }
}
