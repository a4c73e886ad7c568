internal import Clickstream
internal import DeltaLake
internal import Kafka
internal import Parquet

/// The column buffers of `bronze.clickstream_dead_letter`.
final class DeadLetterColumns {
  /// In the order of the table's schema.
  let all: [ColumnBuffer]
  private let rawValue, rawKey, headers, kafkaTopic, reason, detail: ByteArrayColumn
  private let kafkaOffset, kafkaTimestamp, ingestedAt: Int64Column
  private let kafkaPartition: Int32Column
  private let topic: String

  init(topic: String) throws {
    let leaves = try BronzeSchema.deadLetter.parquetSchema().leaves
    rawValue = ByteArrayColumn(leaves[0], encoding: .plain)
    rawKey = ByteArrayColumn(leaves[1])
    headers = ByteArrayColumn(leaves[2])
    kafkaTopic = ByteArrayColumn(leaves[3])
    kafkaPartition = Int32Column(leaves[4])
    kafkaOffset = Int64Column(leaves[5])
    kafkaTimestamp = Int64Column(leaves[6])
    ingestedAt = Int64Column(leaves[7])
    reason = ByteArrayColumn(leaves[8])
    detail = ByteArrayColumn(leaves[9])
    self.topic = topic
    all = [
      rawValue, rawKey, headers, kafkaTopic, kafkaPartition, kafkaOffset, kafkaTimestamp,
      ingestedAt, reason, detail,
    ]
  }

  var rowCount: Int { rawValue.rowCount }
  var byteCount: Int { all.reduce(0) { $0 + $1.byteCount } }

  func append(_ letter: DeadLetter, _ message: MessageView, ingestedAt time: Int64) {
    append(message.value, to: rawValue)
    append(message.key, to: rawKey)
    if let text = message.headersJSON() { headers.append(text) } else { headers.appendNull() }
    let origin = RecordOrigin(message)
    if let timestamp = origin.timestamp {
      kafkaTimestamp.append(timestamp)
    } else {
      kafkaTimestamp.appendNull()
    }
    appendCommon(letter, partition: origin.partition, offset: origin.offset, time)
  }

  /// A range of offsets that is in no other row: one row at its first offset.
  func append(
    lost range: Range<Int64>, partition: Int32, _ cause: LossCause, ingestedAt time: Int64
  ) {
    for column in [rawValue, rawKey, headers, kafkaTimestamp] as [ColumnBuffer] {
      column.appendNull()
    }
    let letter = DeadLetter(
      reason: .dataLoss,
      detail: "offsets \(range.lowerBound) to \(range.upperBound - 1) \(cause.rawValue) "
        + "(\(range.count) offsets)")
    appendCommon(letter, partition: partition, offset: range.lowerBound, time)
  }

  private func appendCommon(
    _ letter: DeadLetter, partition: Int32, offset: Int64, _ time: Int64
  ) {
    kafkaTopic.append(topic)
    kafkaPartition.append(partition)
    kafkaOffset.append(offset)
    ingestedAt.append(time)
    reason.append(letter.reason.rawValue)
    detail.append(letter.detail)
  }

  private func append(_ bytes: UnsafeRawBufferPointer?, to column: ByteArrayColumn) {
    if let bytes { column.append(bytes) } else { column.appendNull() }
  }
}
