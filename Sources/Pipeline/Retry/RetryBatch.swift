internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Parquet

/// One retry on its way from letters to staged data files.
///
/// Letters that are events now become rows of Bronze; the others of the same file are written
/// anew. Memory is bounded as in a batch: one row group of letters and one of each table.
final class RetryBatch {
  /// What the retry's commits will say.
  struct Staged {
    var events: [AddFile]
    /// What is left of the files that are taken out.
    var letters: [AddFile]
    var removed: [AddFile]
    var partitions: [Int32: RetryAccounting.Partition]
    var tally: LetterTally
  }

  /// The column buffers of both tables; one set serves all retries of a command.
  struct Buffers {
    let events: BronzeColumns
    let letters: [ColumnBuffer]

    init(_ tables: BronzeBatch.Tables) throws {
      let configuration = tables.configuration
      events = try BronzeColumns(
        schema: tables.bronze.snapshot.schema, declaredColumns: configuration.columns,
        topic: configuration.kafka.topic)
      // All columns, those too that another program added.
      letters = try tables.deadLetters.snapshot.schema.columnBuffers(
        of: "clickstream_dead_letter", unique: ["raw_value"])
    }
  }

  private let decoder: ClickEventDecoder
  private let selection: LetterSelection
  private let tables: BronzeBatch.Tables
  private let buffers: Buffers
  private let eventWriter: DataFileWriter
  private let letterWriter: DataFileWriter
  private let ingestedAt: Int64
  private let topic: String

  private var removed: [AddFile] = []
  private var partitions: [Int32: RetryAccounting.Partition]
  private var tally = LetterTally()

  /// - Parameters:
  ///   - timestampMs: the retry's, which becomes `ingested_at` of its rows in Bronze.
  ///   - totals: everything since the stream began.
  ///   - buffers: empty ones, which this retry has for itself until it is finished or discarded.
  init(
    _ tables: BronzeBatch.Tables, number: Int64, timestampMs: Int64,
    totals: [Int32: PartitionAccount.Total], buffers: Buffers, decoder: ClickEventDecoder,
    _ selection: LetterSelection
  ) {
    self.tables = tables
    self.decoder = decoder
    self.selection = selection
    self.buffers = buffers
    ingestedAt = timestampMs * 1000
    topic = tables.configuration.kafka.topic
    let prefix = BatchFileName.prefix(query: DeadLetterRetry.name, batch: number)
    eventWriter = tables.writer(
      tables.bronze, tables.bronze.snapshot.schema, .bronzeData, namePrefix: prefix)
    letterWriter = tables.writer(
      tables.deadLetters, tables.deadLetters.snapshot.schema, .deadLetterData, namePrefix: prefix)
    partitions = totals.mapValues { RetryAccounting.Partition(total: $0) }
  }

  var fileCount: Int { removed.count }

  /// Of the files that are taken out.
  var byteCount: Int64 { removed.reduce(0) { $0.clampedAdding($1.size) } }

  /// Takes a file of letters.
  ///
  /// - Returns: false, and nothing was taken, when none of its letters would be another row.
  /// - Throws: BRONZE_ROW, TOPIC_CHANGED, as reading and writing files do; call `discard()` then.
  func add(_ add: AddFile) throws -> Bool {
    let file = try LetterFile(add, of: tables.deadLetters)
    // First only a look: most files stay, and one that goes is decoded twice.
    let expected = try file.tally(selection, decoder)
    guard expected.changesSomething else {
      tally.add(expected)
      return false
    }
    for index in 0..<file.reader.rowGroupCount {
      try move(try LetterRowGroup(file, index, selection))
    }
    removed.append(add)
    return true
  }

  private func move(_ rows: LetterRowGroup) throws {
    let origins = try LetterOrigins(rows, topic: topic)
    var stays = [Bool](repeating: true, count: rows.rowCount)
    var changed: [Int: DeadLetter] = [:]
    try rows.judge(with: decoder, &tally) { row, verdict in
      switch verdict {
      case .good:
        stays[row] = false
        try take(try origins[row])
      case .changed(let letter): changed[row] = letter
      case .unchanged: break
      }
    }
    try keep(rows, stays, changed)
  }

  /// The event that the decoder holds.
  private func take(_ origin: RecordOrigin) throws {
    buffers.events.append(decoder.event, origin, ingestedAt: ingestedAt)
    partitions[origin.partition, default: RetryAccounting.Partition()].move(offset: origin.offset)
    guard
      buffers.events.rowCount >= BronzeBatch.rowGroupRows
        || buffers.events.byteCount >= rowGroupBytes
    else { return }
    try eventWriter.writeRowGroup(buffers.events.all)
  }

  /// Copies the letters that stay letters, with `ingested_at` as it is.
  private func keep(
    _ rows: LetterRowGroup, _ stays: [Bool], _ changed: [Int: DeadLetter]
  ) throws {
    try stays.withUnsafeBufferPointer { stays in
      let selection = RowSelection(stays)
      guard selection.count > 0 else { return }
      for (buffer, field) in zip(buffers.letters, rows.file.schema.fields) {
        let isVerdict = field.name == "failure_reason" || field.name == "failure_detail"
        if isVerdict, !changed.isEmpty, let buffer = buffer as? ByteArrayColumn {
          try keepVerdicts(rows, stays, changed, field.name, buffer)
        } else if let values = try rows.file.values(field, rowGroup: rows.index) {
          try buffer.append(values, where: selection)
        } else {
          buffer.appendNulls(selection.count)
        }
      }
    }
    guard buffers.letters.reduce(0, { $0 + $1.byteCount }) >= rowGroupBytes else { return }
    try letterWriter.writeRowGroup(buffers.letters)
  }

  private func keepVerdicts(
    _ rows: LetterRowGroup, _ stays: UnsafeBufferPointer<Bool>, _ changed: [Int: DeadLetter],
    _ name: String, _ buffer: ByteArrayColumn
  ) throws {
    let stored = try rows.file.texts(name, rowGroup: rows.index)
    for row in stays.indices where stays[row] {
      if let letter = changed[row] {
        buffer.append(name == "failure_reason" ? letter.reason.rawValue : letter.detail)
      } else {
        stored.withBytes(row) { bytes in
          if let bytes { buffer.append(bytes) } else { buffer.appendNull() }
        }
      }
    }
  }

  private var rowGroupBytes: Int { tables.configuration.storage.rowGroupBytes }

  /// Writes what is left; afterwards every data file is durable and named by nobody.
  func finish() throws -> Staged {
    try eventWriter.writeRowGroup(buffers.events.all)
    try letterWriter.writeRowGroup(buffers.letters)
    return Staged(
      events: try eventWriter.finish(), letters: try letterWriter.finish(), removed: removed,
      partitions: partitions, tally: tally)
  }

  /// Removes the staged files and empties the buffers.
  func discard() {
    for column in buffers.events.all + buffers.letters { column.reset() }
    eventWriter.discard()
    letterWriter.discard()
  }
}

/// Which record each letter of a row group is.
private struct LetterOrigins {
  private let rows: LetterRowGroup
  private let topic: String
  private let topics: LetterTexts
  private let partitions, offsets, timestamps: [Int64?]

  init(_ rows: LetterRowGroup, topic: String) throws {
    self.rows = rows
    self.topic = topic
    topics = try rows.file.texts("kafka_topic", rowGroup: rows.index)
    partitions = try rows.file.integers("kafka_partition", rowGroup: rows.index)
    offsets = try rows.file.integers("kafka_offset", rowGroup: rows.index)
    timestamps = try rows.file.integers("kafka_timestamp", rowGroup: rows.index)
  }

  /// - Throws: BRONZE_ROW where a row does not say which record of the topic it is.
  subscript(row: Int) -> RecordOrigin {
    get throws {
      guard let partition = partitions[row].flatMap(Int32.init(exactly:)), let offset = offsets[row]
      else {
        throw BronzeError.row(
          rows.file.place(rows.index, row: row), "expected kafka_partition and kafka_offset")
      }
      guard topics.string(row) == topic else {
        throw BronzeError.row(
          rows.file.place(rows.index, row: row),
          "expected a record of the topic \(topic), found one of \(topics.string(row) ?? "none")")
      }
      return RecordOrigin(partition: partition, offset: offset, timestamp: timestamps[row])
    }
  }
}
