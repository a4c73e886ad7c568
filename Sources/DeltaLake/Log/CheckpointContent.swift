/// What a checkpoint holds, in short, so that a written one can be compared with what was meant.
struct CheckpointContent: Equatable {
  private(set) var addCount: Int64 = 0
  private(set) var removeCount: Int64 = 0
  private var filesHash = 0
  private(set) var transactions: [String: SetTransaction] = [:]
  private(set) var metadata: TableMetadata?
  private(set) var tableProtocol: TableProtocol?

  /// The number of actions.
  var rowCount: Int64 { addCount + removeCount + Int64(transactions.count) + 2 }

  init(_ state: TableState) {
    transactions = state.transactions
    metadata = state.metadata
    tableProtocol = state.tableProtocol
  }

  mutating func note(_ file: AddFile) {
    addCount += 1
    var hasher = Hasher()
    hasher.combine(filesHash)
    hasher.combine(file.path)
    hasher.combine(file.size)
    hasher.combine(file.modificationTime)
    hasher.combine(file.partitionValues)
    hasher.combine(file.stats)
    filesHash = hasher.finalize()
  }

  mutating func note(_ file: RemoveFile) {
    removeCount += 1
    var hasher = Hasher()
    hasher.combine(filesHash)
    hasher.combine(file.path)
    hasher.combine(file.deletionTimestamp)
    filesHash = hasher.finalize()
  }
}

extension CheckpointReader {
  /// Reads the whole checkpoint.
  func content() throws -> CheckpointContent {
    var content = CheckpointContent(try state())
    try forEachAdd { content.note($0) }
    try forEachRemove { content.note($0) }
    return content
  }
}
