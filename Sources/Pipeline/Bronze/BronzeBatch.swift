internal import Clickstream
internal import DeltaLake
internal import DurableIO
internal import Kafka
internal import Parquet

/// One batch on its way from records to staged data files.
///
/// Rows are kept in column buffers and written as row groups, so that memory does not depend on
/// the size of the batch. Nothing is visible to readers before the commit names the files.
final class BronzeBatch {
  /// What both tables of every batch have in common.
  struct Tables {
    let bronze: DeltaTable
    let deadLetters: DeltaTable
    let publisher: Publisher
    let configuration: Configuration

    /// A writer of data files for one of the tables.
    func writer(
      _ table: DeltaTable, _ schema: StructType, _ role: FileRole, namePrefix: String
    ) -> DataFileWriter {
      DataFileWriter(
        DataFileWriter.Target(
          tablePath: table.path, schema: schema, options: configuration.writerOptions,
          fileBytes: Int(configuration.storage.targetFileBytes)),
        publisher: publisher, role: role, namePrefix: namePrefix)
    }
  }

  /// The column buffers of both tables: large, so one set serves all batches of a run.
  struct Buffers {
    let events: BronzeColumns
    let letters: DeadLetterColumns

    init(_ tables: Tables) throws {
      let configuration = tables.configuration
      let topic = configuration.kafka.topic
      events = try BronzeColumns(
        schema: tables.bronze.snapshot.schema, declaredColumns: configuration.columns,
        topic: topic)
      letters = try DeadLetterColumns(topic: topic)
    }
  }

  /// What the commit of the batch will say.
  struct Staged {
    var bronzeFiles: [AddFile]
    var deadLetterFiles: [AddFile]
    var good: [Int32: Int64]
    var dead: [Int32: Int64]
    var deadByReason: [String: Int64]
    var valueBytes: Int64
  }

  private let decoder: ClickEventDecoder
  private let events: BronzeColumns
  private let letters: DeadLetterColumns
  private let eventWriter: DataFileWriter
  private let letterWriter: DataFileWriter
  private let ingestedAt: Int64
  private let rowGroupBytes: Int

  private var good: [Int64]
  private var dead: [Int64]
  private var deadByReason: [DeadLetterReason: Int64] = [:]
  private var valueBytes: Int64 = 0
  private var sinceCheck = 0

  static let rowGroupRows = 131_072
  /// Records or bytes between two looks at the buffers' size.
  private static let checkInterval = 64 << 10

  /// - Parameters:
  ///   - timestampMs: the batch's, which becomes `ingested_at`.
  ///   - partitions: one more than the highest partition number.
  ///   - buffers: empty ones, which this batch has for itself until it is finished or discarded.
  init(
    _ tables: Tables, id: Int64, timestampMs: Int64, partitions: Int, buffers: Buffers,
    decoder: ClickEventDecoder
  ) {
    let configuration = tables.configuration
    self.decoder = decoder
    ingestedAt = timestampMs * 1000
    rowGroupBytes = configuration.storage.rowGroupBytes
    events = buffers.events
    letters = buffers.letters
    let prefix = BatchFileName.prefix(query: BronzeQuery.name, batch: id)
    eventWriter = tables.writer(
      tables.bronze, tables.bronze.snapshot.schema, .bronzeData, namePrefix: prefix)
    letterWriter = tables.writer(
      tables.deadLetters, BronzeSchema.deadLetter, .deadLetterData, namePrefix: prefix)
    good = [Int64](repeating: 0, count: partitions)
    dead = [Int64](repeating: 0, count: partitions)
  }

  /// Takes one record: a row of one of the two tables.
  /// - Throws: when a full row group cannot be written; call `discard()` then.
  func add(_ message: MessageView) throws {
    let value = message.value
    if let letter = decoder.decode(value) {
      letters.append(letter, message, ingestedAt: ingestedAt)
      dead[Int(message.partition)] += 1
      deadByReason[letter.reason, default: 0] += 1
    } else {
      events.append(decoder.event, RecordOrigin(message), ingestedAt: ingestedAt)
      good[Int(message.partition)] += 1
    }
    let size = value?.count ?? 0
    valueBytes += Int64(size)
    sinceCheck += size
    if sinceCheck >= Self.checkInterval { try writeFullRowGroups() }
  }

  /// Takes a range of offsets that is gone: one letter, no record.
  func add(lost range: Range<Int64>, partition: Int32, _ cause: LossCause) {
    letters.append(lost: range, partition: partition, cause, ingestedAt: ingestedAt)
    deadByReason[.dataLoss, default: 0] += 1
  }

  private func writeFullRowGroups() throws {
    sinceCheck = 0
    if events.rowCount >= Self.rowGroupRows || events.byteCount >= rowGroupBytes {
      try eventWriter.writeRowGroup(events.all)
    }
    if letters.byteCount >= rowGroupBytes { try letterWriter.writeRowGroup(letters.all) }
  }

  /// Writes what is left; afterwards every data file is durable and named by nobody.
  func finish() throws -> Staged {
    try eventWriter.writeRowGroup(events.all)
    try letterWriter.writeRowGroup(letters.all)
    let bronzeFiles = try eventWriter.finish()
    let deadLetterFiles = try letterWriter.finish()
    return Staged(
      bronzeFiles: bronzeFiles, deadLetterFiles: deadLetterFiles, good: Self.byPartition(good),
      dead: Self.byPartition(dead),
      deadByReason: Dictionary(
        uniqueKeysWithValues: deadByReason.map { ($0.key.rawValue, $0.value) }),
      valueBytes: valueBytes)
  }

  /// Removes the staged files and empties the buffers.
  func discard() {
    for column in events.all + letters.all { column.reset() }
    eventWriter.discard()
    letterWriter.discard()
  }

  private static func byPartition(_ counts: [Int64]) -> [Int32: Int64] {
    Dictionary(
      uniqueKeysWithValues: counts.enumerated().map { (Int32($0.offset), $0.element) })
  }
}

extension Configuration {
  /// How data files are written.
  var writerOptions: WriterOptions {
    let codec: Codec =
      switch storage.compression {
      case .zstd: .zstd(level: 1)
      case .snappy: .snappy
      case .none: .uncompressed
      }
    return WriterOptions(codec: codec, createdBy: ProgramVersion.createdBy)
  }
}
