internal import DeltaLake

/// Why Bronze cannot be read as a stream, in the operator's words.
enum BronzeError {
  private static let rebuild =
    "\(SilverRebuild.command) makes Silver anew from what Bronze holds now"

  static func missing(_ path: String) -> PipelineError {
    PipelineError(
      "BRONZE_MISSING", .source, "\(path): expected the Bronze table, found none",
      remedy: "it comes with the first records from Kafka; if it was there before, restore it")
  }

  static func recreated(_ path: String, expected: String, found: String) -> PipelineError {
    PipelineError(
      "BRONZE_RECREATED", .source,
      "\(path): expected the table with the id \(expected), which Silver's checkpoint reads, found "
        + "the id \(found)",
      remedy: "restore the table that Silver was built from; or \(rebuild)")
  }

  static func logGap(_ path: String, version: Int64, newest: Int64) -> PipelineError {
    PipelineError(
      "BRONZE_LOG_GAP", .source,
      "\(path): expected the commit of version \(version), which Silver has not read yet, found "
        + "nothing (the newest version is \(newest))",
      remedy: "restore _delta_log from a backup; or \(rebuild)")
  }

  static func snapshotGone(_ path: String, version: Int64) -> PipelineError {
    PipelineError(
      "BRONZE_LOG_GAP", .source,
      "\(path): expected the files of version \(version), the snapshot that Silver reads first, "
        + "found a log that no longer tells them",
      remedy: "restore _delta_log from a backup; or \(rebuild)")
  }

  static func behind(_ path: String, version: Int64, newest: Int64) -> PipelineError {
    PipelineError(
      "BRONZE_LOG_GAP", .source,
      "\(path): expected version \(version - 1), which Silver has read, found \(newest) as the "
        + "newest version: the table is older than the checkpoint",
      remedy: "restore Bronze from a backup that is as new as Silver; or \(rebuild)")
  }

  static func rewritten(_ path: String, version: Int64, file: String) -> PipelineError {
    PipelineError(
      "BRONZE_REWRITTEN", .source,
      "\(path): expected that rows are only added, found that version \(version) took out "
        + "\(file): Silver would keep what was deleted",
      remedy: rebuild)
  }

  static func schema(_ path: String, _ found: String) -> PipelineError {
    PipelineError(
      "BRONZE_SCHEMA", .damaged, "\(path): \(found)",
      remedy: "another program changed the table's schema: restore the table's log")
  }

  static func fileMissing(_ path: String, _ file: SourceFile, _ reason: String) -> PipelineError {
    PipelineError(
      "BRONZE_FILE_MISSING", .damaged,
      "\(path)/\(file.add.filePath): expected the file that version \(file.version) added, found: "
        + reason,
      remedy: "restore the file from a backup; or \(rebuild)")
  }

  static func row(_ place: String, _ found: String) -> PipelineError {
    PipelineError(
      "BRONZE_ROW", .damaged, "\(place): \(found)",
      remedy: "the writer of this file breaks the rules of the table: correct the file's rows and "
        + "the writer; `shopmetricsctl verify` checks the whole table")
  }
}
