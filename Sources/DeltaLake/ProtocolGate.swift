import JSON

/// Decides whether a table may be read and written (Delta protocol, "Requirements for Readers" and
/// "Requirements for Writers").
///
/// We never raise the protocol of a table ourselves.
struct ProtocolGate {
  let table: String
  let version: Int64

  /// The features a writer of version 7 may name and we still write.
  private static let writable: Set<String> = ["appendOnly", "invariants"]

  /// What each writer version added, for tables that do not name their features.
  private static let writerVersions: [(version: Int64, features: String)] = [
    (3, "checkConstraints"), (4, "changeDataFeed and generatedColumns"), (5, "columnMapping"),
    (6, "identityColumns"),
  ]

  func checkReadable(_ tableProtocol: TableProtocol, _ metadata: TableMetadata) throws(DeltaError) {
    guard metadata.provider == "parquet" else {
      throw refuse(.unsupportedToRead, "data files in the format \(metadata.provider)")
    }
    switch tableProtocol.minReaderVersion {
    case ...1: return
    case 2: throw refuse(.unsupportedToRead, "the feature columnMapping (reader version 2)")
    case 3:
      let features = tableProtocol.readerFeatures ?? []
      guard features.isEmpty else { throw refuse(.unsupportedToRead, Self.list(features)) }
    default:
      throw refuse(.unsupportedToRead, "reader version \(tableProtocol.minReaderVersion)")
    }
  }

  /// - Throws: `DeltaError.Code.unsupportedToWrite` naming the feature, property or column.
  func checkWritable(_ snapshot: Snapshot) throws(DeltaError) {
    try checkWriterVersion(snapshot.tableProtocol)
    try checkProperties(snapshot.metadata.configuration)
    try checkColumns(snapshot.schema, below: "")
  }

  private func checkWriterVersion(_ tableProtocol: TableProtocol) throws(DeltaError) {
    let needed = tableProtocol.minWriterVersion
    switch needed {
    case ...2: return
    case 3...6:
      let features = Self.writerVersions.filter { $0.version <= needed }.map(\.features)
      throw refuse(
        .unsupportedToWrite, Self.list(features) + " (writer version \(needed))")
    case 7:
      let named = tableProtocol.writerFeatures ?? []
      let unknown = named.filter { !Self.writable.contains($0) }
      guard unknown.isEmpty else { throw refuse(.unsupportedToWrite, Self.list(unknown)) }
    default:
      throw refuse(.unsupportedToWrite, "writer version \(needed)")
    }
  }

  private func checkProperties(_ configuration: [String: String]) throws(DeltaError) {
    // Readers forget transactions older than this, and with them which batches the table holds.
    let forgetting = "delta.setTransactionRetentionDuration"
    if let value = configuration[forgetting] {
      throw DeltaError(
        .unsupportedToWrite, table: table, version: version,
        "the table has the property \(forgetting) = \(value), which makes it forget the batches "
          + "that it holds, so that a batch could be written twice",
        hint: "Nothing was written. Remove the property: "
          + "ALTER TABLE … UNSET TBLPROPERTIES ('\(forgetting)').")
    }
    let constraints = configuration.keys.filter { $0.hasPrefix("delta.constraints.") }.sorted()
    if let first = constraints.first { throw refuse(.unsupportedToWrite, "the property \(first)") }
    for (key, harmless) in [
      ("delta.columnMapping.mode", "none"), ("delta.enableChangeDataFeed", "false"),
      ("delta.enableDeletionVectors", "false"), ("delta.enableRowTracking", "false"),
    ] {
      if let value = configuration[key], value != harmless {
        throw refuse(.unsupportedToWrite, "the property \(key) = \(value)")
      }
    }
  }

  private func checkColumns(_ schema: StructType, below parent: String) throws(DeltaError) {
    for field in schema.fields {
      let name = parent + field.name
      for key in ["delta.invariants", "delta.generationExpression", "delta.identity.start"]
      where field.metadata[key] != nil {
        throw refuse(.unsupportedToWrite, "\(key) on the column \(name)")
      }
      guard field.nullable else {
        throw refuse(.unsupportedToWrite, "the column \(name), which is declared not null")
      }
      if case .structure(let inner) = field.type {
        try checkColumns(inner, below: name + ".")
      }
    }
  }

  private static func list(_ features: [String]) -> String {
    (features.count == 1 ? "the feature " : "the features ") + features.joined(separator: ", ")
  }

  private func refuse(_ code: DeltaError.Code, _ what: String) -> DeltaError {
    let verb = code == .unsupportedToRead ? "read" : "write"
    return DeltaError(
      code, table: table, version: version,
      "the table asks for \(what), which this program does not \(verb)",
      hint: "Nothing was written. Another writer changed the table; undo that change or write the "
        + "data to a new table.")
  }
}
