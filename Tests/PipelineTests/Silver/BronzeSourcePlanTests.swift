import DeltaLake
import Foundation
import StreamCheckpoint
import Testing

@testable import Pipeline

/// How files become batches: delta-io/delta, `DeltaSource.scala` and `DeltaSourceSnapshot.scala`.
@Suite struct BronzeSourcePlanTests {
  /// The sequence that Spark writes for the same two versions with two files per batch.
  @Test func `a snapshot is read file by file, by time and then by name`() throws {
    let log = try BronzeSourceLog([
      BronzeSourceLog.add("c", time: 20), BronzeSourceLog.add("b", time: 20),
      BronzeSourceLog.add("z", time: 10), BronzeSourceLog.add("a", time: 30),
      BronzeSourceLog.add("é", time: 20),
    ])
    try log.write(1, ["d", "e", "f"].map { BronzeSourceLog.add($0, time: 40) })
    let source = try log.source()
    let start = try source.snapshotOffset()
    #expect(start == log.offset(1, starting: true))
    let batches = try source.batches(from: start, maxRows: 2)
    #expect(
      batches.map(\.end) == [
        log.offset(1, 1, starting: true), log.offset(1, 3, starting: true),
        log.offset(1, 5, starting: true), log.offset(2),
      ])
    #expect(batches.map(\.names) == [["z", "b"], ["c", "é"], ["a", "d"], ["e", "f"]])
  }

  @Test func `versions are read whole, as many as the limits take`() throws {
    let log = try BronzeSourceLog([])
    try log.write(1, [BronzeSourceLog.add("a", rows: 4), BronzeSourceLog.add("b", rows: 4)])
    try log.write(2, [BronzeSourceLog.add("c", rows: 2)])
    try log.write(3, [BronzeSourceLog.add("d", rows: 1)])
    try log.write(4, [BronzeSourceLog.add("e", rows: 50), BronzeSourceLog.add("f", rows: 50)])
    let source = try log.source()
    let start = try source.startingOffset()
    #expect(start == log.offset(0))
    let byRows = try source.batches(from: start, maxRows: 10)
    #expect(byRows.map(\.end) == [log.offset(3), log.offset(4), log.offset(5)])
    #expect(byRows.map(\.names) == [["a", "b", "c"], ["d"], ["e", "f"]])
    let byBytes = try source.batches(from: start, maxRows: .max, maxBytes: 25)
    #expect(byBytes.map(\.names) == [["a", "b"], ["c", "d"], ["e", "f"]])
    let plan = try source.plan(
      from: start, upTo: source.endOffset(), maxRows: .max, maxBytes: .max)
    #expect(plan?.rowCount == 111)
    #expect(plan?.files.map(\.version) == [1, 1, 2, 3, 4, 4])
    #expect(plan?.files.map(\.index) == [0, 1, 0, 0, 0, 1])
  }

  @Test func `only the end that was fixed is read, whatever is committed meanwhile`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    let source = try log.source()
    let end = try source.endOffset()
    try log.write(1, [BronzeSourceLog.add("b")])
    _ = try source.refresh()
    let plan = try source.plan(from: log.offset(0), upTo: end, maxRows: .max, maxBytes: .max)
    #expect(plan?.files.map(\.add.path) == ["a"])
    #expect(plan?.end == end)
    #expect(try source.plan(from: end, upTo: end, maxRows: 1, maxBytes: 1) == nil)
  }

  @Test func `commits without new rows are passed over`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(
      1,
      [
        BronzeSourceLog.remove("a", dataChange: false),
        BronzeSourceLog.add("compact", dataChange: false),
      ])
    try log.write(2, BronzeSourceLog.noData)
    let source = try log.source()
    #expect(try source.batches(from: log.offset(0), maxRows: 1).map(\.end) == [log.offset(3)])
    let idle = {
      try source.plan(
        from: log.offset(1), upTo: source.endOffset(), maxRows: 1, maxBytes: 1)
    }
    #expect(try idle() == nil)
    try log.removeCommit(1)
    #expect(try idle() == nil, "what was passed over is not read again")
    try log.write(3, [BronzeSourceLog.noData[0], BronzeSourceLog.add("b")])
    _ = try source.refresh()
    let next = try idle()
    #expect(next?.end == log.offset(4))
    #expect(next?.files.map(\.add.path) == ["b"])
    #expect(next?.files.map(\.index) == [0])
  }

  @Test func `a compacted file is still read as it was added`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a"), BronzeSourceLog.add("b")])
    try log.write(
      1,
      [
        BronzeSourceLog.remove("a", dataChange: false),
        BronzeSourceLog.remove("b", dataChange: false),
        BronzeSourceLog.add("ab", dataChange: false),
      ])
    let source = try log.source()
    #expect(
      try source.batches(from: log.offset(0), maxRows: 9).map(\.names) == [["a", "b"]])
    #expect(
      try source.batches(from: source.snapshotOffset(), maxRows: 9).map(\.names) == [["ab"]])
  }

  @Test func `a snapshot that is half read stays the same while the table goes on`() throws {
    let log = try BronzeSourceLog(["a", "b", "c"].map { BronzeSourceLog.add($0) })
    let first = try log.source().plan(
      from: log.offset(0, starting: true), upTo: log.offset(1), maxRows: 1, maxBytes: 1)
    #expect(first?.end == log.offset(0, 0, starting: true))
    try log.write(
      1,
      [
        BronzeSourceLog.remove("c", dataChange: false),
        BronzeSourceLog.add("c2", dataChange: false),
      ])
    try log.write(2, [BronzeSourceLog.add("d")])
    let rest = try log.source().batches(from: log.offset(0, 0, starting: true), maxRows: 1)
    #expect(rest.map(\.names) == [["b"], ["c"], ["d"]])
    #expect(
      rest.map(\.end) == [log.offset(0, 1, starting: true), log.offset(1), log.offset(3)])
  }

  @Test func `a replay reads the files that were planned, after a restart too`() throws {
    let log = try BronzeSourceLog((0..<5).map { BronzeSourceLog.add("v0-\($0)", time: 50 - $0) })
    try log.write(1, (0..<3).map { BronzeSourceLog.add("v1-\($0)") })
    try log.write(2, [BronzeSourceLog.add("v2-0")])
    for first in [log.offset(0), log.offset(1, starting: true)] {
      var start = first
      let source = try log.source()
      var count = 0
      while let plan = try source.plan(
        from: start, upTo: source.endOffset(), maxRows: 2, maxBytes: .max)
      {
        #expect(try log.source().files(from: start, to: plan.end) == plan.files)
        count += plan.files.count
        start = plan.end
      }
      #expect(count == 9)
    }
  }

  /// Spark's batches may end inside a version and span two.
  @Test func `batches that Spark cut are read as Spark read them`() throws {
    let log = try BronzeSourceLog((0..<5).map { BronzeSourceLog.add("v0-\($0)") })
    try log.write(1, (0..<3).map { BronzeSourceLog.add("v1-\($0)") })
    let source = try log.source()
    let cuts = [
      log.offset(0), log.offset(0, 1), log.offset(0, 3), log.offset(1, 0), log.offset(2),
    ]
    let names = try zip(cuts, cuts.dropFirst()).map { start, end in
      try source.files(from: start, to: end).map(\.add.path)
    }
    #expect(
      names == [["v0-0", "v0-1"], ["v0-2", "v0-3"], ["v0-4", "v1-0"], ["v1-1", "v1-2"]])
    let next = try source.plan(
      from: log.offset(0, 3), upTo: log.offset(2), maxRows: 1, maxBytes: .max)
    #expect(next?.files.map(\.add.path) == ["v0-4"])
    #expect(next?.end == log.offset(1))
  }

  @Test func `a table whose first versions were cleaned up starts with its snapshot`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(1, [BronzeSourceLog.add("b")])
    let source = try log.source()
    try log.removeCommit(0)
    #expect(try source.startingOffset() == log.offset(1, starting: true))
  }

  @Test func `columns may be added in between`() throws {
    let log = try BronzeSourceLog([BronzeSourceLog.add("a")])
    try log.write(
      1,
      [
        log.metadata(BronzeSchema.raw.fields + [StructField("extra", .long)]),
        BronzeSourceLog.add("b"),
      ])
    let batches = try log.source().batches(from: log.offset(0), maxRows: .max)
    #expect(batches.map(\.names) == [["a", "b"]])
  }

  @Test func `there is nothing to read before there is a table`() throws {
    let path = FileManager.default.temporaryDirectory.path + "/none-\(UUID().uuidString)"
    #expect(try BronzeSource(path: path, log: .silent).refresh() == false)
  }
}
