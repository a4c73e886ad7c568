internal import StreamCheckpoint

/// Every file of Bronze's checkpoint: its checksum, its form, and offsets that never go back.
struct CheckpointAudit {
  private let checkpoint: CheckpointDirectory
  private(set) var findings: [Finding] = []
  /// Where the stream began; `nil` when the checkpoint does not say.
  private(set) var initialOffsets: [Int32: Int64]?
  /// What the offset log still holds.
  private(set) var batches: [Int64: Batch] = [:]

  struct Batch {
    /// The end of each partition.
    var offsets: [Int32: Int64]
    var timestampMs: Int64
  }

  init(_ checkpoint: CheckpointDirectory) throws {
    self.checkpoint = checkpoint
    var files = CheckpointFiles(checkpoint)
    var initialOffsets: [Int32: Int64]?
    let path = "\(checkpoint.path)/sources/0/0"
    files.attempt(path) { checkpoint in
      initialOffsets = try checkpoint.initialOffsets().map {
        try KafkaOffsetsJSON.parse($0, path: path).offsets
      }
    }
    var batches: [Int64: Batch] = [:]
    try files.forEachOffsets { id, entry, path in
      let text = try entry.onlySource("Kafka", path: path)
      batches[id] = Batch(
        offsets: try KafkaOffsetsJSON.parse(text, path: path).offsets,
        timestampMs: entry.batchTimestampMs)
    }
    try files.forEachCommit { _, _ in }
    self.initialOffsets = initialOffsets
    self.batches = batches
    findings = files.findings
    checkOrder()
  }

  private mutating func checkOrder() {
    var before = initialOffsets ?? [:]
    for (id, batch) in batches.sorted(by: { $0.key < $1.key }) {
      for (partition, offset) in before.sorted(by: { $0.key < $1.key }) {
        let now = batch.offsets[partition]
        guard (now ?? -1) < offset else { continue }
        findings.append(
          Finding(
            "OFFSETS_WENT_BACK",
            "\(checkpoint.offsetLog.directory)/\(id), partition \(partition)",
            expected: "an offset from \(offset)", found: now.map(String.init) ?? "none"))
      }
      before = batch.offsets
    }
  }
}
