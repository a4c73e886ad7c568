package import DurableIO
internal import JSON

/// The checkpoint directory of one streaming query, in Spark's layout.
///
///     metadata      the query's id
///     offsets/N     what batch N will contain; durable before its first record is read
///     commits/N     batch N is in the tables
///     sources/0/0   where batch 0 began (Kafka sources only)
package final class CheckpointDirectory {
  package let path: String
  package let offsetLog: MetadataLog
  package let commitLog: MetadataLog
  private let publisher: Publisher

  /// Batches kept behind the newest one (`spark.sql.streaming.minBatchesToRetain`).
  package static let batchesToRetain: Int64 = 100

  package init(path: String, publisher: Publisher) {
    self.path = path
    self.publisher = publisher
    offsetLog = MetadataLog(directory: "\(path)/offsets", role: .offsets, publisher: publisher)
    commitLog = MetadataLog(directory: "\(path)/commits", role: .commits, publisher: publisher)
  }

  // MARK: Query id

  /// The query's id, or `nil` for a directory that was never used.
  /// - Throws: `CheckpointError` when the file is damaged, or missing beside batches: a new id
  ///   would make the tables take every batch a second time.
  package func queryID() throws -> String? {
    let file = "\(path)/metadata"
    guard let bytes = try Files.readIfPresent(file) else {
      let batches = try offsetLog.batchIDs() + commitLog.batchIDs()
      guard batches.isEmpty else {
        throw CheckpointError(
          path: file, field: "file", expected: "the query id of batch \(batches[0]) and later",
          found: "no such file")
      }
      return nil
    }
    try MetadataLog.verify(bytes, path: file)
    guard let text = String(validating: bytes, as: UTF8.self),
      let value = try? JSONValue.parse(text.trimmingNewline()),
      let id = value.objectValue?.string("id"), !id.isEmpty
    else {
      throw CheckpointError(
        path: file, field: "id", expected: "{\"id\":\"<query id>\"}",
        found: CheckpointError.excerpt(String(decoding: bytes, as: UTF8.self)))
    }
    return id
  }

  /// The query's id, written when the directory is new.
  package func createQueryIfNeeded(id: String = RandomUUID.text()) throws -> String {
    if let id = try queryID() { return id }
    for directory in [path, offsetLog.directory, commitLog.directory] {
      try Files.makeDirectories(directory)
    }
    _ = try publisher.publish(
      Array("{\"id\":\"\(id)\"}".utf8), as: "metadata", in: path, role: .streamMetadata,
      mode: .ifAbsent, sidecar: true)
    return try queryID() ?? id
  }

  // MARK: Initial offsets

  /// Where the Kafka source began, as JSON; `nil` before the first run.
  package func initialOffsets() throws -> String? {
    let file = "\(path)/sources/0/0"
    guard let bytes = try Files.readIfPresent(file) else { return nil }
    try MetadataLog.verify(bytes, path: file)
    // Spark writes a zero byte first, for readers of version 2.1.0, and drops one byte on reading.
    let lines = String(decoding: bytes.dropFirst(), as: UTF8.self).split(separator: "\n")
    guard bytes.first == 0, lines.count == 2, lines[0] == "v1" else {
      throw CheckpointError(
        path: file, field: "file", expected: "a zero byte, v1 and the offsets",
        found: CheckpointError.excerpt(String(decoding: bytes, as: UTF8.self)))
    }
    return String(lines[1])
  }

  /// Writes the first offsets of the stream, before batch 0 is planned.
  package func addInitialOffsets(_ json: String) throws {
    try Files.makeDirectories("\(path)/sources/0")
    _ = try publisher.publish(
      [0] + Array("v1\n\(json)".utf8), as: "0", in: "\(path)/sources/0", role: .initialOffsets,
      mode: .ifAbsent, sidecar: true)
  }

  // MARK: The two phases

  package func offsets(_ id: Int64) throws -> OffsetLogEntry? {
    guard let bytes = try offsetLog.read(id) else { return nil }
    return try OffsetLogEntry(bytes: bytes, path: "\(offsetLog.directory)/\(id)")
  }

  /// Phase one: after this, batch `id` is these offsets for ever.
  package func addOffsets(_ id: Int64, _ entry: OffsetLogEntry) throws -> PublishOutcome {
    try offsetLog.add(id, entry.bytes)
  }

  /// Takes back phase one of a batch that is in no table.
  ///
  /// - Parameter id: the newest batch.
  package func withdrawOffsets(_ id: Int64) throws {
    try offsetLog.withdraw(id)
  }

  package func commit(_ id: Int64) throws -> CommitLogEntry? {
    guard let bytes = try commitLog.read(id) else { return nil }
    return try CommitLogEntry(bytes: bytes, path: "\(commitLog.directory)/\(id)")
  }

  /// Phase two: batch `id` is in the tables.
  package func addCommit(_ id: Int64, _ entry: CommitLogEntry) throws -> PublishOutcome {
    try commitLog.add(id, entry.bytes)
  }

  // MARK: Housekeeping

  /// Removes the files of batches that neither engine needs once `offsets/newest` is durable.
  package func purge(newest: Int64) throws {
    guard newest > Self.batchesToRetain else { return }
    try offsetLog.purge(before: newest - Self.batchesToRetain)
    try commitLog.purge(before: newest - Self.batchesToRetain)
  }

  /// Removes what a killed process left half written.
  /// - Returns: how many files.
  package func sweepTemporaries() throws -> Int {
    var count = 0
    for directory in [path, offsetLog.directory, commitLog.directory, "\(path)/sources/0"] {
      count += try publisher.sweepTemporaries(in: directory).count
    }
    return count
  }
}

extension String {
  fileprivate func trimmingNewline() -> String {
    var text = self
    while let last = text.unicodeScalars.last, last == "\n" || last == "\r" {
      text.unicodeScalars.removeLast()
    }
    return text
  }
}
