internal import Clickstream
internal import DeltaLake
internal import Kafka
internal import Parquet

/// The column buffers of `bronze.clickstream_raw`, filled record by record.
final class BronzeColumns {
  /// In the order of the table's schema.
  let all: [ColumnBuffer]
  private let eventID, customerID, productID, eventType, sessionID, page: ByteArrayColumn
  private let kafkaTopic, rescuedData: ByteArrayColumn
  private let eventTime, kafkaOffset, kafkaTimestamp, ingestedAt: Int64Column
  private let kafkaPartition: Int32Column
  private let declared: [DeclaredBuffer]
  /// Columns of the table that the configuration does not declare (any more): always null.
  private let unknown: [ColumnBuffer]
  private let topic: [UInt8]

  /// - Parameters:
  ///   - schema: the table's, which begins with the fixed columns.
  ///   - declaredColumns: the configuration's; each is a column of `schema`.
  init(schema: StructType, declaredColumns: [DeclaredColumn], topic: String) throws {
    let leaves = try schema.parquetSchema().leaves
    func text(_ index: Int, _ encoding: ByteArrayEncoding = .dictionary) -> ByteArrayColumn {
      ByteArrayColumn(leaves[index], encoding: encoding)
    }
    // Ids hardly repeat: a dictionary would only be given up after it had cost its memory.
    eventID = text(0, .plain)
    customerID = text(1)
    productID = text(2)
    eventType = text(3)
    sessionID = text(4)
    page = text(5)
    eventTime = Int64Column(leaves[6])
    kafkaTopic = text(7)
    kafkaPartition = Int32Column(leaves[8])
    kafkaOffset = Int64Column(leaves[9])
    kafkaTimestamp = Int64Column(leaves[10])
    ingestedAt = Int64Column(leaves[11])
    rescuedData = text(12)
    self.topic = Array(topic.utf8)

    var declared: [DeclaredBuffer] = []
    var unknown: [ColumnBuffer] = []
    var further: [ColumnBuffer] = []
    for (leaf, field) in zip(leaves, schema.fields).dropFirst(BronzeSchema.raw.fields.count) {
      let buffer = try DeclaredBuffer(leaf, field)
      further.append(buffer.column)
      if let position = declaredColumns.firstIndex(where: { $0.name == field.name }) {
        declared.append(buffer.at(position))
      } else {
        unknown.append(buffer.column)
      }
    }
    self.declared = declared
    self.unknown = unknown
    all =
      [
        eventID, customerID, productID, eventType, sessionID, page, eventTime, kafkaTopic,
        kafkaPartition, kafkaOffset, kafkaTimestamp, ingestedAt, rescuedData,
      ] + further
  }

  var rowCount: Int { eventID.rowCount }
  var byteCount: Int { all.reduce(0) { $0 + $1.byteCount } }

  func append(_ event: borrowing DecodedEvent, _ origin: RecordOrigin, ingestedAt time: Int64) {
    Self.append(event.eventID, to: eventID)
    Self.append(event.customerID, to: customerID)
    Self.append(event.productID, to: productID)
    Self.append(event.eventType, to: eventType)
    Self.append(event.sessionID, to: sessionID)
    Self.append(event.page, to: page)
    eventTime.append(event.eventTime)
    topic.withUnsafeBytes { kafkaTopic.append($0) }
    kafkaPartition.append(origin.partition)
    kafkaOffset.append(origin.offset)
    if let timestamp = origin.timestamp {
      kafkaTimestamp.append(timestamp)
    } else {
      kafkaTimestamp.appendNull()
    }
    ingestedAt.append(time)
    Self.append(event.rescuedData, to: rescuedData)
    for column in declared { column.append(event.declared[column.position]) }
    for column in unknown { column.appendNull() }
  }

  @inline(__always)
  private static func append(_ field: FieldBytes, to column: ByteArrayColumn) {
    if let bytes = field.buffer { column.append(bytes) } else { column.appendNull() }
  }
}

/// Which record of the topic a row is.
struct RecordOrigin {
  var partition: Int32
  var offset: Int64
  /// Kafka's, in microseconds since 1970; `nil` for none.
  var timestamp: Int64?
}

extension RecordOrigin {
  @inline(__always)
  init(_ message: MessageView) {
    partition = message.partition
    offset = message.offset
    // Kafka's -1 is "no timestamp"; what does not fit into microseconds is none either.
    let milliseconds = message.timestampMs
    let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
    timestamp = milliseconds == -1 || overflow ? nil : microseconds
  }
}

/// The buffer of a declared column, by its type.
private struct DeclaredBuffer {
  enum Typed {
    case text(ByteArrayColumn)
    case long(Int64Column)
    case double(DoubleColumn)
    case boolean(BooleanColumn)
  }
  let typed: Typed
  /// Index in the configuration's declared columns.
  var position = 0

  init(_ leaf: LeafColumn, _ field: StructField) throws {
    switch field.type {
    case .string: typed = .text(ByteArrayColumn(leaf))
    case .long, .timestamp: typed = .long(Int64Column(leaf))
    case .double: typed = .double(DoubleColumn(leaf))
    case .boolean: typed = .boolean(BooleanColumn(leaf))
    default:
      throw PipelineError(
        "TABLE_SCHEMA", .damaged,
        "column \(field.name) of the Bronze table has a type that no configuration declares",
        remedy: "another program changed the table's schema: restore the table's log")
    }
  }

  func at(_ position: Int) -> DeclaredBuffer {
    var copy = self
    copy.position = position
    return copy
  }

  var column: ColumnBuffer {
    switch typed {
    case .text(let column): column
    case .long(let column): column
    case .double(let column): column
    case .boolean(let column): column
    }
  }

  func append(_ value: DeclaredValue) {
    switch (typed, value) {
    case (.text(let column), .string(let field)):
      if let bytes = field.buffer { column.append(bytes) } else { column.appendNull() }
    case (.long(let column), .long(let number)): column.append(number)
    case (.long(let column), .timestamp(let microseconds)): column.append(microseconds)
    case (.double(let column), .double(let number)): column.append(number)
    case (.boolean(let column), .boolean(let flag)): column.append(flag)
    case (_, .null): column.appendNull()
    default: preconditionFailure("the decoder gave another type than was declared")
    }
  }
}
