internal import DurableIO
internal import StreamCheckpoint

/// Every file of a checkpoint: its checksum, its form, and offsets that never go back.
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
    readInitialOffsets()
    for id in try Self.ids(in: checkpoint.offsetLog.directory) { readOffsets(id) }
    for id in try Self.ids(in: checkpoint.commitLog.directory) {
      attempt("\(checkpoint.commitLog.directory)/\(id)") { _ = try $0.commit(id) }
    }
    checkOrder()
  }

  /// The ids that have a file; gaps and odd names are found where the logs are opened.
  private static func ids(in directory: String) throws -> [Int64] {
    guard try Files.exists(directory) else { return [] }
    return try Files.list(directory).compactMap(Int64.init).filter { $0 >= 0 }.sorted()
  }

  private mutating func readInitialOffsets() {
    let path = "\(checkpoint.path)/sources/0/0"
    var offsets: [Int32: Int64]?
    attempt(path) { checkpoint in
      offsets = try checkpoint.initialOffsets().map {
        try KafkaOffsetsJSON.parse($0, path: path).offsets
      }
    }
    initialOffsets = offsets
  }

  private mutating func readOffsets(_ id: Int64) {
    let path = "\(checkpoint.offsetLog.directory)/\(id)"
    var batch: Batch?
    attempt(path) { checkpoint in
      // nil: the daemon removed it meanwhile.
      guard let entry = try checkpoint.offsets(id) else { return }
      guard entry.sources.count == 1, let text = entry.sources[0] else {
        throw CheckpointError(
          path: path, field: "line 3", expected: "the offsets of one Kafka source",
          found: "\(entry.sources.count) sources")
      }
      batch = Batch(
        offsets: try KafkaOffsetsJSON.parse(text, path: path).offsets,
        timestampMs: entry.batchTimestampMs)
    }
    batches[id] = batch
  }

  private mutating func attempt(_ path: String, _ body: (CheckpointDirectory) throws -> Void) {
    do {
      try body(checkpoint)
    } catch let error as CheckpointError {
      findings.append(.damaged(error))
    } catch {
      findings.append(
        Finding(
          "CHECKPOINT_DAMAGED", path, expected: "a readable file", found: "\(error)"))
    }
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

extension Finding {
  static func damaged(_ error: CheckpointError) -> Finding {
    Finding(
      "CHECKPOINT_DAMAGED", "\(error.path), \(error.field)", expected: error.expected,
      found: error.found)
  }
}
