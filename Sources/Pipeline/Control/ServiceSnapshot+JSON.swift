package import JSON

extension ServiceSnapshot {
  package func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("state", state.rawValue)
    writer.field("pid", Int64(pid))
    writer.field("version", version)
    writer.field("startedMs", startedMs)
    writer.field("nowMs", nowMs)
    writer.field("ready", isReady)
    writer.field("stopping", isStopping)
    writer.field("paused", isPaused)
    writer.key("run")
    if let current { current.write(to: &writer) } else { writer.null() }
    writer.field("silentMs", silentMs)
    writer.field("nextRunMs", optional: nextRunMs)
    writer.field("consecutiveFailures", consecutiveFailures)
    writer.field("lastSuccessMs", optional: lastSuccessMs)
    writer.field("refusedReloadMs", optional: refusedReloadMs)
    writer.key("plannedEnds")
    writer.offsets(plannedEnds)
    writer.key("runs")
    writer.beginArray()
    for run in runs { run.write(to: &writer) }
    writer.endArray()
    writer.endObject()
  }

  /// Reads it back; `nil` when a member is missing or of another type.
  package init?(_ object: JSONObject) {
    guard let pid = object.int64("pid").flatMap(Int32.init(exactly:)),
      let version = object.string("version"), let startedMs = object.int64("startedMs"),
      let nowMs = object.int64("nowMs"), let isReady = object.bool("ready"),
      let isStopping = object.bool("stopping"), let isPaused = object.bool("paused"),
      let silentMs = object.int64("silentMs"),
      let consecutiveFailures = object.int64("consecutiveFailures"),
      let plannedEnds = object.object("plannedEnds").flatMap({ $0.offsets() }),
      let runs = object.array("runs")
    else { return nil }
    self.init(pid: pid, version: version, startedMs: startedMs)
    (self.nowMs, self.silentMs) = (nowMs, silentMs)
    (self.isReady, self.isStopping, self.isPaused) = (isReady, isStopping, isPaused)
    self.consecutiveFailures = consecutiveFailures
    self.plannedEnds = plannedEnds
    current = object.object("run").flatMap(CurrentRun.init)
    nextRunMs = object.int64("nextRunMs")
    lastSuccessMs = object.int64("lastSuccessMs")
    refusedReloadMs = object.int64("refusedReloadMs")
    self.runs = runs.compactMap { $0.objectValue.flatMap(RunRecord.init) }
  }
}

extension ServiceSnapshot.CurrentRun {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("number", number)
    writer.field("startedMs", startedMs)
    writer.key("progress")
    if let progress { progress.write(to: &writer) } else { writer.null() }
    writer.endObject()
  }

  fileprivate init?(_ object: JSONObject) {
    guard let number = object.int64("number"), let startedMs = object.int64("startedMs") else {
      return nil
    }
    self.init(
      number: number, startedMs: startedMs,
      progress: object.object("progress").flatMap(RunProgress.init))
  }
}

extension RunProgress {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.field("query", query)
    writer.field("phase", phase.rawValue)
    writer.field("batch", batch)
    writer.field("done", done)
    writer.field("total", total)
    writer.endObject()
  }

  fileprivate init?(_ object: JSONObject) {
    guard let query = object.string("query"),
      let phase = object.string("phase").flatMap(Phase.init), let batch = object.int64("batch"),
      let done = object.int64("done"), let total = object.int64("total")
    else { return nil }
    self.init(query: query, phase: phase, batch: batch, done: done, total: total)
  }
}

extension JSONWriter {
  /// Offsets by partition, as Spark writes them: `{"0":12,"1":7}`.
  mutating func offsets(_ offsets: [Int32: Int64]) {
    beginObject()
    for (partition, offset) in offsets.sorted(by: { $0.key < $1.key }) {
      field(String(partition), offset)
    }
    endObject()
  }
}

extension JSONObject {
  /// The reverse; `nil` when something else is in it.
  func offsets() -> [Int32: Int64]? {
    var offsets: [Int32: Int64] = [:]
    for (key, value) in members {
      guard let partition = Int32(key), let offset = value.int64Value else { return nil }
      offsets[partition] = offset
    }
    return offsets
  }
}
