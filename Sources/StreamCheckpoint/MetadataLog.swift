internal import DurableIO

/// A directory of files named 0, 1, 2, … (Spark's HDFSMetadataLog).
///
/// A file is written once, under a name that must be free, with Hadoop's checksum file beside it.
/// Names that are not numbers are other people's and are ignored, as Spark does.
package struct MetadataLog {
  package let directory: String
  private let role: FileRole
  private let publisher: Publisher

  init(directory: String, role: FileRole, publisher: Publisher) {
    self.directory = directory
    self.role = role
    self.publisher = publisher
  }

  /// The batch ids that have a file, ascending.
  /// - Throws: `CheckpointError` when an id is missing between two others, or stands for two files.
  package func batchIDs() throws -> [Int64] {
    guard try Files.exists(directory) else { return [] }
    var ids: [Int64] = []
    for name in try Files.list(directory) {
      guard let id = Int64(name), id >= 0 else { continue }
      guard name == String(id) else {
        throw CheckpointError(
          path: "\(directory)/\(name)", field: "name", expected: "\(id)",
          found: "another spelling of batch \(id)")
      }
      ids.append(id)
    }
    ids.sort()
    for (lower, upper) in zip(ids, ids.dropFirst()) where upper != lower + 1 {
      throw CheckpointError(
        path: directory, field: "batch \(lower + 1)",
        expected: "a file for every batch from "
          + "\(ids[0]) to \(ids[ids.count - 1])", found: "no file \(lower + 1)")
    }
    return ids
  }

  /// The bytes of a batch's file, checked against its checksum file when there is one.
  func read(_ id: Int64) throws -> [UInt8]? {
    let path = "\(directory)/\(id)"
    guard let bytes = try Files.readIfPresent(path) else { return nil }
    try Self.verify(bytes, path: path)
    return bytes
  }

  /// Adds a batch's file; a second one for the same batch is a result, not an error.
  func add(_ id: Int64, _ bytes: [UInt8]) throws -> PublishOutcome {
    try publisher.publish(
      bytes, as: String(id), in: directory, role: role, mode: .ifAbsent, sidecar: true)
  }

  /// Removes the files of all batches before `first`, oldest first.
  func purge(before first: Int64) throws {
    guard try Files.exists(directory) else { return }
    let old = try Files.list(directory).compactMap(Int64.init).filter { $0 >= 0 && $0 < first }
    for id in old.sorted() {
      // The checksum first: a kill in between leaves a file that the next purge still finds.
      try Files.remove("\(directory)/.\(id).crc")
      try Files.remove("\(directory)/\(id)")
    }
  }

  /// Removes the newest batch's file, durably.
  func withdraw(_ id: Int64) throws {
    // The checksum first, as in `purge`.
    for name in [".\(id).crc", "\(id)"] { try publisher.remove(name, in: directory, role: role) }
  }

  /// - Throws: `CheckpointError` when they differ; `SystemError` when the checksum file cannot be
  ///   read, which says nothing about either.
  static func verify(_ bytes: [UInt8], path: String) throws {
    do {
      guard let sidecar = try Files.readIfPresent(Files.sidecarPath(of: path)) else { return }
      try HadoopChecksum.verify(bytes, sidecar: sidecar, path: path)
    } catch let error as CorruptFileError {
      let position = error.byteOffset.map { "bytes from \($0)" } ?? "file"
      throw CheckpointError(
        path: path, field: position, expected: error.expected, found: error.found)
    }
  }
}
