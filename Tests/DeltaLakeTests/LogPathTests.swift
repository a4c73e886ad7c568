import Testing

@testable import DeltaLake

struct LogPathTests {
  @Test(arguments: [
    ("00000000000000000012.json", LogPath.commit(version: 12)),
    ("00000000000000000010.checkpoint.parquet", .checkpoint(version: 10)),
    (
      "00000000000000000010.checkpoint.0000000002.0000000003.parquet",
      .checkpointPart(version: 10, part: 2, of: 3)
    ),
    (
      "00000000000000000010.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
      .namedCheckpoint(version: 10)
    ),
    ("00000000000000000003.crc", .versionChecksum(version: 3)),
    (
      "00000000000000000001.00000000000000000004.compacted.json",
      .compactedCommits(from: 1, through: 4)
    ),
    ("_last_checkpoint", .lastCheckpoint),
    ("09223372036854775806.json", .commit(version: .max - 1)),
  ])
  func `names of the protocol are recognised`(name: String, path: LogPath) {
    #expect(LogPath(name: name) == path)
  }

  @Test(arguments: [
    "", ".", "json", "12.json", "0000000000000000012.json", "00000000000000000012.json.tmp",
    ".00000000000000000012.json.1b9d.tmp", "00000000000000000012.json#1", "_commits",
    "00000000000000000012.json~", "99999999999999999999.json", "09223372036854775807.json",
    "-0000000000000000012.json",
    "00000000000000000010.checkpoint.0000000004.0000000003.parquet",
    "00000000000000000010.checkpoint.0000000000.0000000003.parquet",
    "00000000000000000010.checkpoint.0000000001.0000000000.parquet",
    "00000000000000000010.checkpoint", "0000000000000000001٢.json",
  ])
  func `everything else is of no interest`(name: String) {
    #expect(LogPath(name: name) == .other)
  }

  @Test func `the names we write are the ones we read`() {
    #expect(LogPath(name: LogPath.commitName(7)) == .commit(version: 7))
    #expect(LogPath(name: LogPath.checkpointName(7)) == .checkpoint(version: 7))
    let part = LogPath.checkpointPartName(7, part: 1, of: 2)
    #expect(LogPath(name: part) == .checkpointPart(version: 7, part: 1, of: 2))
  }
}

struct LogListingTests {
  private func commits(_ versions: ClosedRange<Int64>) -> [String] {
    versions.map(LogPath.commitName)
  }

  @Test func `a checkpoint of several files counts when all of them are there`() {
    let parts = (1...3).map { LogPath.checkpointPartName(5, part: $0, of: 3) }
    let whole = LogListing(names: commits(0...6) + parts)
    #expect(whole.checkpoints == [CheckpointFiles(version: 5, names: parts)])
    let broken = LogListing(names: commits(0...6) + parts.dropLast())
    #expect(broken.checkpoints.isEmpty)
  }

  @Test func `the newest checkpoint comes first and reading from version 0 last`() {
    let names = commits(0...9) + [LogPath.checkpointName(4), LogPath.checkpointName(8)]
    let listing = LogListing(names: names.reversed())
    #expect(listing.candidates().map { $0?.version } == [8, 4, nil])
    #expect(listing.newest == 9)
  }

  @Test func `a missing version is found wherever it is`() {
    #expect(LogListing(names: commits(0...9)).gap(after: nil) == nil)
    #expect(LogListing(names: commits(1...9)).gap(after: nil) == 0)
    #expect(LogListing(names: commits(0...3) + commits(5...9)).gap(after: nil) == 4)
    let checkpoint = CheckpointFiles(version: 6, names: [LogPath.checkpointName(6)])
    let behind = LogListing(names: commits(0...4) + checkpoint.names + commits(7...9))
    #expect(behind.gap(after: checkpoint) == nil)
    let ahead = LogListing(names: commits(0...6) + checkpoint.names + commits(8...9))
    #expect(ahead.gap(after: checkpoint) == 7)
    // The newest version is known by its checkpoint only: commits alone do not lead there.
    let alone = LogListing(names: commits(0...4) + checkpoint.names)
    #expect(alone.gap(after: nil) == 5)
    #expect(alone.gap(after: checkpoint) == nil)
  }

  @Test func `versions after the limit are passed over`() {
    let names = commits(0...9) + [LogPath.checkpointName(8)]
    let listing = LogListing(names: names, upTo: 7)
    #expect(listing.newest == 7)
    #expect(listing.checkpoints.isEmpty)
  }
}
