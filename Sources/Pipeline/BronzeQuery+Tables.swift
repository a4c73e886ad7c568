internal import Clickstream
internal import DeltaLake
internal import DurableIO

/// Where the tables remember which topic they were built from.
enum SourceIdentity {
  static let cluster = "shopmetrics.source.clusterId"
  static let topic = "shopmetrics.source.topic"

  /// - Throws: `WRONG_CLUSTER` or `TOPIC_CHANGED` for a table that was built from something else.
  static func check(
    _ table: DeltaTable, _ configuration: Configuration, clusterID: String?
  ) throws {
    try StateFit.checkTopic(of: table, configuration)
    let properties = table.snapshot.metadata.configuration
    if let known = properties[cluster], let clusterID, known != clusterID {
      throw PipelineError(
        "WRONG_CLUSTER", .source,
        "\(table.path) was built from cluster \"\(known)\", the brokers answer as \"\(clusterID)\"",
        remedy: "correct kafka.brokers, or give the other cluster its own storage.state_directory")
    }
  }
}

extension BronzeQuery {
  /// Opens both tables, creating what is missing, and checks that they are this topic's.
  ///
  /// - Throws: `WRONG_CLUSTER`, `TOPIC_CHANGED` or `TABLE_SCHEMA`; nothing was changed then.
  func prepareTables(clusterID: String?) throws -> BronzeBatch.Tables {
    let paths = configuration.paths
    let raw = try bronze ?? create(paths.bronze, BronzeSchema.raw, clusterID: clusterID)
    bronze = raw
    let letters =
      try deadLetters ?? create(paths.deadLetter, BronzeSchema.deadLetter, clusterID: clusterID)
    deadLetters = letters
    try SourceIdentity.check(raw, configuration, clusterID: clusterID)
    try checkColumns(of: raw, BronzeSchema.raw)
    try checkColumns(of: letters, BronzeSchema.deadLetter)
    try addDeclaredColumns(to: raw)
    return BronzeBatch.Tables(
      bronze: raw, deadLetters: letters, publisher: publisher, configuration: configuration)
  }

  private func create(
    _ path: String, _ schema: StructType, clusterID: String?
  ) throws -> DeltaTable {
    let isRaw = path == configuration.paths.bronze
    var properties = [SourceIdentity.topic: configuration.kafka.topic]
    if let clusterID { properties[SourceIdentity.cluster] = clusterID }
    if isRaw { properties["delta.appendOnly"] = "true" }
    let metadata = TableMetadata(
      id: RandomUUID.text(), name: isRaw ? "clickstream_raw" : "clickstream_dead_letter",
      description: isRaw
        ? "One row per click event, as it came from Kafka"
        : "One row per record that is not a click event, whole and with the reason",
      schemaString: schema.schemaString, configuration: properties,
      createdTime: wallClockMilliseconds())
    return try DeltaTable.createEmpty(
      path: path, metadata: metadata, publisher: publisher,
      role: isRaw ? .bronzeCommit : .deadLetterCommit)
  }

  /// Other programs may add columns; the ones that are written must be there with their types.
  private func checkColumns(of table: DeltaTable, _ expected: StructType) throws {
    let found = table.snapshot.schema.fields.prefix(expected.fields.count)
    for (position, field) in expected.fields.enumerated() {
      let other = position < found.count ? found[position] : nil
      guard let other, other.name == field.name, other.type == field.type else {
        throw PipelineError(
          "TABLE_SCHEMA", .damaged,
          "\(table.path), version \(table.snapshot.version): column \(position + 1) must be "
            + "\(field.name), found \(other?.name ?? "nothing") or another type",
          remedy: "another program changed the schema: restore the table's log")
      }
    }
  }

  private func addDeclaredColumns(to table: DeltaTable) throws {
    let missing = try StateFit.checkColumns(of: table, configuration)
    guard !missing.isEmpty else { return }
    let metadata = try table.snapshot.metadata.adding(missing)
    let version = try table.commit(
      metadata, operation: "ADD COLUMNS", publisher: publisher, role: .bronzeCommit)
    let names = missing.map(\.name).joined(separator: ", ")
    log.notice("bronze v\(version): added the declared columns \(names)")
  }
}
