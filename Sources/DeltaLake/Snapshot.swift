/// A table at one version, without its files.
public struct Snapshot: Sendable {
  /// The version of the table.
  public let version: Int64
  public let tableProtocol: TableProtocol
  public let metadata: TableMetadata
  /// The columns, from `metadata.schemaString`.
  public let schema: StructType
  /// What was found and could be worked around, such as a damaged checkpoint; worth a line of log.
  public internal(set) var warnings: [String]
  /// The newest transaction of each application.
  let transactionEntries: [String: SetTransaction]

  /// The newest transaction version of each application.
  public var transactions: [String: Int64] { transactionEntries.mapValues(\.version) }

  /// The newest transaction version of one application; nil when it has written none.
  public func transactionVersion(of appID: String) -> Int64? {
    transactionEntries[appID]?.version
  }

  /// The newest transaction of one application; nil when it has written none.
  public func transaction(of appID: String) -> SetTransaction? { transactionEntries[appID] }

  /// True when rows may only be added (`delta.appendOnly`).
  public var isAppendOnly: Bool { metadata.configuration["delta.appendOnly"] == "true" }

  /// How long files that left the table stay on disk (`delta.deletedFileRetentionDuration`):
  /// milliseconds.
  public var deletedFileRetention: Int64 { TableProperty.deletedFileRetention(metadata) }

  /// - Throws: `DeltaError` when the log names no protocol or no metadata, when the protocol asks
  ///   for what this reader does not do, or when the schema is not valid.
  init(_ state: TableState, table: String, warnings: [String]) throws {
    guard let tableProtocol = state.tableProtocol, let metadata = state.metadata else {
      let missing = state.tableProtocol == nil ? "protocol" : "metaData"
      throw DeltaError(
        .invalidAction, table: table, version: state.version,
        "expected a \(missing) action in the log, found none",
        hint: "Nothing was written. Restore _delta_log from a copy of the table.")
    }
    try ProtocolGate(table: table, version: state.version).checkReadable(tableProtocol, metadata)
    self.version = state.version
    self.tableProtocol = tableProtocol
    self.metadata = metadata
    self.transactionEntries = state.transactions
    self.warnings = warnings
    do {
      schema = try StructType(schemaString: metadata.schemaString)
    } catch {
      throw DeltaError(
        .invalidSchema, table: table, version: state.version, "metaData.schemaString: \(error)",
        hint: "The table cannot be read with this schema; nothing was written.")
    }
  }
}
