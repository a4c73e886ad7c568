import Parquet

/// Writes actions as rows of a checkpoint.
///
/// Memory is bounded by one row group.
///
/// The fields of an action are put in the order of `CheckpointSchema`, each `put` filling the next
/// leaf; leaves of all other kinds get a null.
final class CheckpointWriter {
  private static let rowsPerGroup = 10_000
  private static let bytesPerGroup = 16 << 20

  private let output: ByteSink
  private let file: FileWriter
  private let leaves: [CheckpointLeaf]
  private let ranges: [Range<Int>]
  private var next = 0
  private var rowsInGroup = 0
  private(set) var rowCount: Int64 = 0

  init() throws {
    let nodes = CheckpointSchema.Kind.allCases.map(CheckpointSchema.node)
    let schema = try ParquetSchema(nodes)
    var ranges: [Range<Int>] = []
    var end = 0
    for node in nodes {
      let count = schema.leaves[end...].prefix { $0.path.first == node.name }.count
      ranges.append(end..<end + count)
      end += count
    }
    self.ranges = ranges
    leaves = schema.leaves.map(CheckpointLeaf.init)
    let output = ByteSink()
    self.output = output
    file = try FileWriter(schema: schema, options: WriterOptions()) { output.append($0) }
  }

  /// Appends one row and hands finished row groups to `write`.
  func append(_ action: Action, write: (UnsafeRawBufferPointer) throws -> Void) throws {
    guard let kind = CheckpointSchema.Kind(action) else {
      preconditionFailure("a checkpoint does not hold \(action.name)")
    }
    for (index, leaf) in leaves.enumerated() where !ranges[kind.rawValue].contains(index) {
      leaf.appendNull(definition: 0)
    }
    next = ranges[kind.rawValue].lowerBound
    put(action)
    precondition(next == ranges[kind.rawValue].upperBound, "every leaf of a row gets a value")
    rowCount += 1
    rowsInGroup += 1
    if rowsInGroup >= Self.rowsPerGroup || byteCount >= Self.bytesPerGroup { try flush(write) }
  }

  /// Writes the last row group and the footer.
  func finish(write: (UnsafeRawBufferPointer) throws -> Void) throws {
    if rowsInGroup > 0 { try flush(write) }
    _ = try file.finish()
    try output.drain(write)
  }

  private var byteCount: Int { leaves.reduce(0) { $0 + $1.buffer.byteCount } }

  private func flush(_ write: (UnsafeRawBufferPointer) throws -> Void) throws {
    try file.writeRowGroup(leaves.map(\.buffer))
    rowsInGroup = 0
    try output.drain(write)
  }

  private func leaf() -> CheckpointLeaf {
    defer { next += 1 }
    return leaves[next]
  }

  private func put(_ action: Action) {
    switch action {
    case .transaction(let transaction): put(transaction)
    case .add(let file): put(file)
    case .remove(let file): put(file)
    case .metadata(let metadata): put(metadata)
    case .protocolVersions(let versions): put(versions)
    case .commitInfo, .unknown: break
    }
  }

  private func put(_ transaction: SetTransaction) {
    leaf().append(transaction.appID)
    leaf().append(transaction.version)
    leaf().append(transaction.lastUpdated)
  }

  private func put(_ file: AddFile) {
    leaf().append(file.path)
    put(file.partitionValues)
    leaf().append(file.size)
    leaf().append(file.modificationTime)
    // A checkpoint is state: nothing in it changes the data.
    leaf().append(false)
    leaf().append(file.stats)
    put(file.tags)
  }

  private func put(_ file: RemoveFile) {
    leaf().append(file.path)
    leaf().append(file.deletionTimestamp)
    leaf().append(false)
    leaf().append(file.extendedFileMetadata)
    put(file.partitionValues)
    leaf().append(file.size)
  }

  private func put(_ metadata: TableMetadata) {
    leaf().append(metadata.id)
    leaf().append(metadata.name)
    leaf().append(metadata.description)
    leaf().append(metadata.provider, below: 2)
    put(metadata.formatOptions, below: 2)
    leaf().append(metadata.schemaString)
    leaf().append(list: metadata.partitionColumns)
    put(metadata.configuration)
    leaf().append(metadata.createdTime)
  }

  private func put(_ versions: TableProtocol) {
    leaf().append(versions.minReaderVersion)
    leaf().append(versions.minWriterVersion)
    leaf().append(list: versions.readerFeatures)
    leaf().append(list: versions.writerFeatures)
  }

  private func put(_ map: [String: String?]?, below level: UInt8 = 1) {
    let entries = map?.sorted { $0.key < $1.key }
    leaf().append(keys: entries?.map(\.key), below: level)
    leaf().append(values: entries?.map(\.value), below: level)
  }

  private func put(_ map: [String: String]?, below level: UInt8 = 1) {
    put(map?.mapValues { Optional($0) }, below: level)
  }
}

extension CheckpointSchema.Kind {
  fileprivate init?(_ action: Action) {
    switch action {
    case .transaction: self = .transaction
    case .add: self = .add
    case .remove: self = .remove
    case .metadata: self = .metadata
    case .protocolVersions: self = .protocolVersions
    case .commitInfo, .unknown: return nil
    }
  }
}

/// What the Parquet writer produced and nobody has stored yet.
private final class ByteSink {
  private var bytes: [UInt8] = []

  func append(_ more: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: more)
  }

  func drain(_ write: (UnsafeRawBufferPointer) throws -> Void) throws {
    try bytes.withUnsafeBytes(write)
    bytes.removeAll(keepingCapacity: true)
  }
}

/// One leaf of the checkpoint with its levels.
///
/// `below` is the number of optional groups around the leaf's own field, all of them present; a
/// null there has that definition level.
private struct CheckpointLeaf {
  let buffer: ColumnBuffer
  private let present: UInt8

  init(_ leaf: LeafColumn) {
    present = leaf.maxDefinitionLevel
    switch leaf.physicalType {
    case .boolean: buffer = BooleanColumn(leaf)
    case .int32: buffer = Int32Column(leaf, encoding: .plain)
    case .int64: buffer = Int64Column(leaf, encoding: .plain)
    default: buffer = ByteArrayColumn(leaf, encoding: .plain)
    }
  }

  func appendNull(definition: UInt8) {
    buffer.appendLevels(definition: definition, repetition: 0)
  }

  func append(_ text: String?, below level: UInt8 = 1) {
    guard let text else { return appendNull(definition: level) }
    append(text, repetition: 0)
  }

  func append(_ number: Int64?) {
    guard let number else { return appendNull(definition: 1) }
    switch buffer {
    case let column as Int64Column: column.append(number)
    case let column as Int32Column: column.append(Int32(truncatingIfNeeded: number))
    default: preconditionFailure("the schema has an integer here")
    }
  }

  func append(_ flag: Bool?) {
    guard let flag else { return appendNull(definition: 1) }
    guard let column = buffer as? BooleanColumn else {
      preconditionFailure("the schema has a boolean here")
    }
    column.append(flag)
  }

  func append(list: [String]?) {
    append(entries: list, below: 1)
  }

  func append(keys: [String]?, below level: UInt8) {
    append(entries: keys, below: level)
  }

  func append(values: [String?]?, below level: UInt8) {
    append(entries: values, below: level)
  }

  /// An absent list ends at the level of the groups around it, an empty one a level further, a null
  /// entry one level before a value.
  private func append(entries: [String?]?, below level: UInt8) {
    guard let entries else { return appendNull(definition: level) }
    guard !entries.isEmpty else { return appendNull(definition: level + 1) }
    for (index, entry) in entries.enumerated() {
      let repetition: UInt8 = index == 0 ? 0 : 1
      if let entry {
        append(entry, repetition: repetition)
      } else {
        buffer.appendLevels(definition: present - 1, repetition: repetition)
      }
    }
  }

  private func append(_ text: String, repetition: UInt8) {
    guard let column = buffer as? ByteArrayColumn else {
      preconditionFailure("the schema has a string here")
    }
    var text = text
    text.withUTF8 {
      column.append(UnsafeRawBufferPointer($0), definition: present, repetition: repetition)
    }
  }
}
