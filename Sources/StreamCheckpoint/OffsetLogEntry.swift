internal import JSON

/// One file of `offsets/`: what batch N will contain (Spark's OffsetSeqLog, version 1).
package struct OffsetLogEntry: Equatable, Sendable {
  /// Milliseconds since 1970 below which a row is final; 0 for a query without a watermark.
  package var batchWatermarkMs: Int64
  /// The batch's own time, milliseconds since 1970; a replay uses it again.
  package var batchTimestampMs: Int64
  /// Spark's settings of the query, as a JSON object, kept verbatim from batch to batch.
  package var confJSON: String
  /// Each source's end offset as JSON, in plan order; `nil` for a source without one ("-").
  package var sources: [String?]

  package init(
    batchWatermarkMs: Int64, batchTimestampMs: Int64, confJSON: String, sources: [String?]
  ) {
    self.batchWatermarkMs = batchWatermarkMs
    self.batchTimestampMs = batchTimestampMs
    self.confJSON = confJSON
    self.sources = sources
  }

  /// The settings that Spark 3.5 writes into a new checkpoint.
  ///
  /// All are inert for a query without
  /// state; Spark reads them back when it takes the query over.
  package static let newCheckpointConf: String = {
    let provider = "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider"
    var writer = JSONWriter()
    writer.beginObject()
    for (key, value) in [
      ("spark.sql.streaming.stateStore.providerClass", provider),
      ("spark.sql.streaming.join.stateFormatVersion", "2"),
      ("spark.sql.streaming.stateStore.compression.codec", "lz4"),
      ("spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan", "false"),
      ("spark.sql.streaming.stateStore.rocksdb.formatVersion", "5"),
      ("spark.sql.streaming.statefulOperator.useStrictDistribution", "true"),
      ("spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", "2"),
      ("spark.sql.streaming.multipleWatermarkPolicy", "min"),
      ("spark.sql.streaming.aggregation.stateFormatVersion", "2"),
      ("spark.sql.shuffle.partitions", "200"),
    ] {
      writer.field(key, value)
    }
    writer.endObject()
    return writer.text
  }()

  /// The file's bytes: `v1`, the metadata object, a line per source; no newline at the end.
  package var bytes: [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("batchWatermarkMs", batchWatermarkMs)
    writer.field("batchTimestampMs", batchTimestampMs)
    writer.field("conf", raw: confJSON)
    writer.endObject()
    let lines = ["v1", writer.text] + sources.map { $0 ?? "-" }
    return Array(lines.joined(separator: "\n").utf8)
  }

  /// Reads a file of `offsets/`; tolerates what Spark tolerates (unknown keys, an empty metadata
  /// line, CRLF, a newline at the end).
  package init(bytes: [UInt8], path: String) throws(CheckpointError) {
    let lines = try LogFile.lines(bytes, path: path, versionSetting: Self.versionSetting)
    guard lines.count >= 3 else {
      throw CheckpointError(
        path: path, field: "file", expected: "v1, a metadata line and a line per source",
        found: "\(lines.count) lines")
    }
    if let blank = lines[2...].firstIndex(where: { $0.allSatisfy(\.isWhitespace) }) {
      throw CheckpointError(
        path: path, field: "line \(blank + 1)", expected: "a source's offset, or -",
        found: "a blank line")
    }
    let metadata = try LogFile.object(lines[1], path: path, field: "line 2")
    self.init(
      batchWatermarkMs: try LogFile.milliseconds("batchWatermarkMs", in: metadata, path: path),
      batchTimestampMs: try LogFile.milliseconds("batchTimestampMs", in: metadata, path: path),
      confJSON: metadata["conf"]?.text ?? "{}",
      sources: lines[2...].map { $0 == "-" ? nil : $0 })
  }

  private static let versionSetting = "spark.sql.streaming.offsetLog.formatVersion"
}

/// One file of `commits/`: batch N is in the tables (Spark's CommitLog, version 1).
package struct CommitLogEntry: Equatable, Sendable {
  package var nextBatchWatermarkMs: Int64

  package init(nextBatchWatermarkMs: Int64 = 0) {
    self.nextBatchWatermarkMs = nextBatchWatermarkMs
  }

  /// The file's bytes, without a newline at the end.
  package var bytes: [UInt8] {
    Array("v1\n{\"nextBatchWatermarkMs\":\(nextBatchWatermarkMs)}".utf8)
  }

  /// Reads a file of `commits/`; `v1` alone and unknown keys are fine, as for Spark.
  package init(bytes: [UInt8], path: String) throws(CheckpointError) {
    let lines = try LogFile.lines(bytes, path: path, versionSetting: Self.versionSetting)
    let metadata = try LogFile.object(
      lines.count > 1 ? lines[1] : "", path: path, field: "line 2")
    nextBatchWatermarkMs = try LogFile.milliseconds(
      "nextBatchWatermarkMs", in: metadata, path: path)
  }

  private static let versionSetting = "spark.sql.streaming.stateStore.checkpointFormatVersion"
}

/// The form that the files of both logs share: a version line, then text.
enum LogFile {
  static func lines(
    _ bytes: [UInt8], path: String, versionSetting: String
  ) throws(CheckpointError) -> [String] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CheckpointError(path: path, field: "file", expected: "UTF-8", found: "other bytes")
    }
    // By scalars: "\r\n" is one character.
    let newline: Unicode.Scalar = "\n"
    let carriageReturn: Unicode.Scalar = "\r"
    var lines = text.unicodeScalars.split(
      separator: newline, omittingEmptySubsequences: false
    ).map { line in
      String(line.last == carriageReturn ? line.dropLast() : line)
    }
    if lines.last == "" { lines.removeLast() }
    guard let version = lines.first else {
      throw CheckpointError(
        path: path, field: "line 1", expected: "v1", found: "an empty file")
    }
    guard version == "v1" else {
      let newer = version.hasPrefix("v") ? " (set by \(versionSetting) in Spark)" : ""
      throw CheckpointError(
        path: path, field: "line 1", expected: "v1",
        found: CheckpointError.excerpt(version) + newer)
    }
    return lines
  }

  static func object(
    _ line: String, path: String, field: String
  ) throws(CheckpointError) -> JSONObject {
    guard !line.isEmpty else { return JSONObject() }
    let value: JSONValue
    do {
      value = try JSONValue.parse(line)
    } catch {
      throw CheckpointError(
        path: path, field: "\(field), byte \(error.byteOffset)", expected: "a JSON object",
        found: CheckpointError.excerpt(line))
    }
    guard let object = value.objectValue else {
      throw CheckpointError(
        path: path, field: field, expected: "a JSON object", found: value.typeName)
    }
    return object
  }

  static func milliseconds(
    _ key: String, in object: JSONObject, path: String
  ) throws(CheckpointError) -> Int64 {
    guard let value = object[key] else { return 0 }
    guard let number = value.int64Value, number >= 0 else {
      throw CheckpointError(
        path: path, field: key, expected: "milliseconds, 0 or more",
        found: CheckpointError.excerpt(value.text))
    }
    return number
  }
}
