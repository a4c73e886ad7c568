internal import DeltaLake

/// One commit of Bronze, as the stream sees it.
struct SourceCommit {
  let path: String
  let version: Int64
  let actions: [Action]

  /// The files that bring rows, numbered in the order of the lines.
  ///
  /// - Throws: BRONZE_REWRITTEN when rows were taken out, BRONZE_RECREATED and BRONZE_SCHEMA when
  ///   the commit belongs to another table or to columns that the table no longer has.
  func files(checking snapshot: Snapshot) throws -> [SourceFile] {
    var files: [SourceFile] = []
    for action in actions {
      switch action {
      case .add(let file) where file.dataChange:
        files.append(SourceFile(file, version: version, index: Int64(files.count)))
      case .remove(let file) where file.dataChange:
        throw BronzeError.rewritten(path, version: version, file: file.filePath)
      case .metadata(let metadata): try check(metadata, snapshot)
      case .add, .remove, .transaction, .protocolVersions, .commitInfo, .unknown: break
      }
    }
    return files
  }

  /// Columns may be added: then all that a commit names are still in the newest schema.
  private func check(_ metadata: TableMetadata, _ snapshot: Snapshot) throws {
    guard metadata.id == snapshot.metadata.id else {
      throw BronzeError.recreated(path, expected: snapshot.metadata.id, found: metadata.id)
    }
    let schema: StructType
    do {
      schema = try StructType(schemaString: metadata.schemaString)
    } catch {
      throw BronzeError.schema(path, "version \(version): metaData.schemaString: \(error)")
    }
    for field in schema.fields where snapshot.schema.field(named: field.name)?.type != field.type {
      throw BronzeError.schema(
        path,
        "version \(version) has the column \(field.name) (\(field.type)), which the newest "
          + "version lacks or has with another type: expected that columns are only added")
    }
  }
}

/// The columns that Silver needs of Bronze.
struct BronzeShape {
  private let snapshot: Snapshot

  init(_ snapshot: Snapshot) { self.snapshot = snapshot }

  func check(_ path: String) throws {
    guard snapshot.metadata.partitionColumns.isEmpty else {
      throw BronzeError.schema(
        path,
        "expected no partition columns, found "
          + snapshot.metadata.partitionColumns.joined(separator: ", "))
    }
    for field in BronzeSchema.raw.fields {
      guard let found = snapshot.schema.field(named: field.name), found.type == field.type else {
        throw BronzeError.schema(
          path,
          "expected the column \(field.name) of type \(field.type), found "
            + (snapshot.schema.field(named: field.name).map { "\($0.type)" } ?? "none"))
      }
    }
  }
}
