internal import StreamCheckpoint

/// Every file of Silver's checkpoint: its checksum, its form, and that neither the position in
/// Bronze nor the watermark ever goes back.
struct SilverCheckpointAudit {
  private let checkpoint: CheckpointDirectory
  private(set) var findings: [Finding] = []
  /// What the offset log still holds.
  private(set) var batches: [Int64: Batch] = [:]
  /// The watermark that each batch left for the next one, milliseconds.
  private(set) var nextWatermarks: [Int64: Int64] = [:]

  struct Batch {
    /// What the batch reads Bronze up to.
    var end: DeltaSourceOffset
    var timestampMs: Int64
    var watermarkMs: Int64
  }

  init(_ checkpoint: CheckpointDirectory) throws {
    self.checkpoint = checkpoint
    var files = CheckpointFiles(checkpoint)
    var batches: [Int64: Batch] = [:]
    var nextWatermarks: [Int64: Int64] = [:]
    try files.forEachOffsets { id, entry, path in
      batches[id] = Batch(
        end: try DeltaSourceOffset(json: entry.onlySource("Delta", path: path), path: path),
        timestampMs: entry.batchTimestampMs, watermarkMs: entry.batchWatermarkMs)
    }
    try files.forEachCommit { nextWatermarks[$0] = $1.nextBatchWatermarkMs }
    self.batches = batches
    self.nextWatermarks = nextWatermarks
    findings = files.findings
    checkOffsets()
    checkWatermarks()
  }

  private mutating func checkOffsets() {
    var before: DeltaSourceOffset?
    for (id, batch) in batches.sorted(by: { $0.key < $1.key }) {
      if let before, batch.end.isBefore(before) || batch.end.reservoirID != before.reservoirID {
        findings.append(
          Finding(
            "OFFSETS_WENT_BACK", "\(checkpoint.offsetLog.directory)/\(id)",
            expected: "an offset from \(before.json)", found: batch.end.json))
      }
      before = batch.end
    }
  }

  private mutating func checkWatermarks() {
    var least: Int64 = 0
    func note(_ watermark: Int64, _ path: String) {
      if watermark < least {
        findings.append(
          Finding(
            "WATERMARK_WENT_BACK", path, expected: "a watermark from \(least) ms",
            found: "\(watermark) ms"))
      }
      least = watermark
    }
    for id in Set(batches.keys).union(nextWatermarks.keys).sorted() {
      if let batch = batches[id] {
        note(batch.watermarkMs, "\(checkpoint.offsetLog.directory)/\(id)")
      }
      if let next = nextWatermarks[id] {
        note(next, "\(checkpoint.commitLog.directory)/\(id)")
      }
    }
  }
}
