import Parquet

/// Reads the actions of a checkpoint (Delta protocol, "Checkpoints").
///
/// Only the columns that are asked for are read, and one row group at a time, so that the memory
/// does not grow with the number of files in the table. Checkpoints of Spark (every level
/// optional), of delta-rs (leaves required), and ours are all accepted; columns may be missing.
struct CheckpointReader {
  let log: LogDirectory
  let files: CheckpointFiles

  /// The state of the table that the checkpoint holds.
  ///
  /// - Throws: `DeltaError.Code.damagedCheckpoint`.
  func state() throws -> TableState {
    var state = TableState()
    try forEachRowGroup { group in
      for action in try group.transactions() { state.apply(action) }
      for action in try group.metadata() { state.apply(action) }
      for action in try group.protocols() { state.apply(action) }
    }
    state.version = files.version
    return state
  }

  /// Calls `body` for every `add`, in the order of the file.
  func forEachAdd(_ body: (AddFile) throws -> Void) throws {
    try forEachRowGroup { try $0.forEachAdd(body) }
  }

  /// Calls `body` for every `remove`, in the order of the file.
  func forEachRemove(_ body: (RemoveFile) throws -> Void) throws {
    try forEachRowGroup { try $0.forEachRemove(body) }
  }

  private func forEachRowGroup(_ body: (CheckpointRowGroup) throws -> Void) throws {
    for name in files.names {
      do {
        let reader = try FileReader(path: log.path(of: name))
        for index in 0..<reader.rowGroupCount {
          try body(CheckpointRowGroup(reader: reader, index: index))
        }
      } catch let error as ParquetError {
        throw damaged(name, "\(error)")
      } catch let fault as CheckpointFault {
        throw damaged(name, fault.message)
      } catch let error as ActionError {
        throw damaged(name, error.message)
      }
    }
  }

  private func damaged(_ name: String, _ message: String) -> DeltaError {
    DeltaError(
      .damagedCheckpoint, table: log.table, version: files.version,
      "_delta_log/\(name): \(message)",
      hint: "Nothing was written. Move the file away when all commits up to this version are "
        + "still in _delta_log; otherwise restore it from a copy.")
  }
}

/// The columns of one row group, by the paths of the Delta protocol's checkpoint schema.
private struct CheckpointRowGroup {
  let reader: FileReader
  let index: Int

  private var rowCount: Int { Int(reader.rowCount(ofRowGroup: index)) }

  func transactions() throws -> [Action] {
    guard var appID = try column("txn", "appId") else { return [] }
    var version = try column("txn", "version")
    var updated = try column("txn", "lastUpdated")
    var actions: [Action] = []
    for _ in 0..<rowCount {
      let (app, number) = (try appID.nextString(), try version?.nextInteger())
      let time = try updated?.nextInteger()
      guard let app else { continue }
      let transaction = SetTransaction(
        appID: app, version: try required(number, "txn.version"), lastUpdated: time)
      actions.append(.transaction(transaction))
    }
    return actions
  }

  func protocols() throws -> [Action] {
    guard var reading = try column("protocol", "minReaderVersion") else { return [] }
    var writing = try column("protocol", "minWriterVersion")
    var readerFeatures = try list("protocol", "readerFeatures")
    var writerFeatures = try list("protocol", "writerFeatures")
    var actions: [Action] = []
    for _ in 0..<rowCount {
      let (reader, writer) = (try reading.nextInteger(), try writing?.nextInteger())
      let (read, write) = (try readerFeatures?.next(), try writerFeatures?.next())
      guard let reader else { continue }
      actions.append(
        .protocolVersions(
          TableProtocol(
            minReaderVersion: reader,
            minWriterVersion: try required(writer, "protocol.minWriterVersion"),
            readerFeatures: reader >= 3 ? read ?? [] : nil,
            writerFeatures: (writer ?? 0) >= 7 ? write ?? [] : nil)))
    }
    return actions
  }

  func metadata() throws -> [Action] {
    guard var id = try column("metaData", "id") else { return [] }
    var name = try column("metaData", "name")
    var description = try column("metaData", "description")
    var schema = try column("metaData", "schemaString")
    var created = try column("metaData", "createdTime")
    var provider = try column("metaData", "format", "provider")
    var options = try map("metaData", "format", "options")
    var configuration = try map("metaData", "configuration")
    var partitions = try list("metaData", "partitionColumns")
    var actions: [Action] = []
    for _ in 0..<rowCount {
      let schemaString = try schema?.nextString()
      let names = (try name?.nextString(), try description?.nextString())
      let (time, format) = (try created?.nextInteger(), try provider?.nextString())
      let formatOptions = try options?.nextTexts() ?? [:]
      let properties = try configuration?.nextTexts() ?? [:]
      let columns = try partitions?.next() ?? []
      guard let id = try id.nextString() else { continue }
      var metadata = TableMetadata(
        id: id, name: names.0, description: names.1,
        schemaString: try required(schemaString, "metaData.schemaString"),
        partitionColumns: columns, configuration: properties, createdTime: time)
      metadata.provider = format ?? "parquet"
      metadata.formatOptions = formatOptions
      actions.append(.metadata(metadata))
    }
    return actions
  }

  func forEachAdd(_ body: (AddFile) throws -> Void) throws {
    guard var path = try column("add", "path") else { return }
    var size = try column("add", "size")
    var modified = try column("add", "modificationTime")
    var change = try column("add", "dataChange")
    var stats = try column("add", "stats")
    var partition = try map("add", "partitionValues")
    var tags = try map("add", "tags")
    for _ in 0..<rowCount {
      let (bytes, time) = (try size?.nextInteger(), try modified?.nextInteger())
      let (dataChange, statistics) = (try change?.nextBool(), try stats?.nextString())
      let values = try partition?.next() ?? [:]
      let labels = try tags?.nextTexts() ?? [:]
      guard let path = try path.nextString() else { continue }
      let file = AddFile(
        path: path, partitionValues: values, size: try required(bytes, "add.size"),
        modificationTime: try required(time, "add.modificationTime"),
        dataChange: dataChange ?? false, stats: statistics, tags: labels.isEmpty ? nil : labels)
      guard file.size >= 0 else { throw CheckpointFault("add.size of \(path): found \(file.size)") }
      try body(file)
    }
  }

  func forEachRemove(_ body: (RemoveFile) throws -> Void) throws {
    guard var path = try column("remove", "path") else { return }
    var deleted = try column("remove", "deletionTimestamp")
    var change = try column("remove", "dataChange")
    var extended = try column("remove", "extendedFileMetadata")
    var size = try column("remove", "size")
    var partition = try map("remove", "partitionValues")
    for _ in 0..<rowCount {
      let (time, bytes) = (try deleted?.nextInteger(), try size?.nextInteger())
      let (dataChange, isExtended) = (try change?.nextBool(), try extended?.nextBool())
      let values = try partition?.next() ?? [:]
      guard let path = try path.nextString() else { continue }
      try body(
        RemoveFile(
          path: path, deletionTimestamp: time, dataChange: dataChange ?? false,
          extendedFileMetadata: isExtended,
          partitionValues: isExtended == true ? values : nil, size: bytes))
    }
  }

  private func required<T>(_ value: T?, _ name: String) throws(CheckpointFault) -> T {
    guard let value else { throw CheckpointFault("\(name): expected a value, found null") }
    return value
  }

  private func column(_ path: String...) throws -> CheckpointColumn? {
    guard let leaf = reader.schema.leaves.firstIndex(where: { $0.path == path }) else {
      return nil
    }
    return try column(leaf: leaf)
  }

  private func column(leaf: Int) throws -> CheckpointColumn {
    CheckpointColumn(
      try reader.readColumn(rowGroup: index, leaf: leaf), of: reader.schema.leaves[leaf])
  }

  /// The leaves below a group; writers name the levels of lists and maps differently.
  private func leaves(below path: [String]) -> [Int] {
    reader.schema.leaves.indices.filter {
      let leaf = reader.schema.leaves[$0].path
      return leaf.count > path.count && Array(leaf.prefix(path.count)) == path
    }
  }

  private func list(_ path: String...) throws -> CheckpointList? {
    let leaves = leaves(below: path)
    guard let leaf = leaves.first, leaves.count == 1 else { return nil }
    return CheckpointList(
      column: try column(leaf: leaf),
      presentLevel: reader.schema.leaves[leaf].maxDefinitionLevel)
  }

  private func map(_ path: String...) throws -> CheckpointMap? {
    let leaves = leaves(below: path)
    guard leaves.count == 2 else { return nil }
    return CheckpointMap(
      keys: try column(leaf: leaves[0]), values: try column(leaf: leaves[1]),
      entryLevel: reader.schema.leaves[leaves[0]].maxDefinitionLevel)
  }
}

/// A list of strings, row by row; null elements are passed over.
private struct CheckpointList {
  var column: CheckpointColumn
  let presentLevel: UInt8

  mutating func next() throws -> [String] {
    try column.nextStrings(entriesFrom: presentLevel).compactMap { $0 }
  }
}

/// A map of strings, row by row.
private struct CheckpointMap {
  var keys: CheckpointColumn
  var values: CheckpointColumn
  /// Keys are never null, so an entry is there when its key is.
  let entryLevel: UInt8

  mutating func next() throws -> [String: String?] {
    let names = try keys.nextStrings(entriesFrom: entryLevel)
    let texts = try values.nextStrings(entriesFrom: entryLevel)
    guard names.count == texts.count else {
      throw CheckpointFault("a map has \(names.count) keys and \(texts.count) values")
    }
    var map: [String: String?] = [:]
    for (name, text) in zip(names, texts) {
      guard let name else { throw CheckpointFault("a map has a key that is null") }
      map.updateValue(text, forKey: name)
    }
    return map
  }

  mutating func nextTexts() throws -> [String: String] {
    try next().compactMapValues { $0 }
  }
}
