internal import JSON

/// How far a query has read a Delta table: the offset of Spark's Delta source
/// (delta-io/delta, `DeltaSourceOffset.scala`).
///
/// The files of a version are numbered from 0; the offset names the last one that was read. A
/// version that was read to its end is written as the next version with index -1.
package struct DeltaSourceOffset: Equatable, Sendable {
  /// The index before a version's first file.
  package static let beforeFirstFile: Int64 = -1

  /// The table's `metaData.id`.
  package var reservoirID: String
  /// The version of the table that `index` points into; may be the next one, not yet there.
  package var version: Int64
  /// The last file of the version that was read; -1 when none was.
  package var index: Int64
  /// Whether `index` counts the live files of the version, not those that its commit added.
  package var isStartingVersion: Bool

  package init(
    reservoirID: String, version: Int64, index: Int64 = beforeFirstFile,
    isStartingVersion: Bool = false
  ) {
    self.reservoirID = reservoirID
    self.version = version
    self.index = index
    self.isStartingVersion = isStartingVersion
  }

  /// Reads the text of one source in a file of `offsets/`.
  ///
  /// Version 3 of the text marks a change of schema in the middle of a batch; no query of ours
  /// makes it.
  /// - Parameter path: the file it stands in, for errors.
  package init(json: String, path: String) throws(CheckpointError) {
    let object = try LogFile.object(json, path: path, field: "offset of the Delta source")
    func fault(_ field: String, expected: String) -> CheckpointError {
      CheckpointError(
        path: path, field: field, expected: expected,
        found: object[field].map { CheckpointError.excerpt($0.text) } ?? "nothing")
    }
    func integer(_ field: String, atLeast least: Int64) throws(CheckpointError) -> Int64 {
      guard let value = object.int64(field), value >= least, value < .max else {
        throw fault(field, expected: "an integer of \(least) or more")
      }
      return value
    }
    guard object.int64("sourceVersion") == Self.sourceVersion else {
      throw fault("sourceVersion", expected: "\(Self.sourceVersion)")
    }
    guard let reservoirID = object.string("reservoirId"), !reservoirID.isEmpty else {
      throw fault("reservoirId", expected: "the id of a Delta table")
    }
    guard let isStartingVersion = object.bool("isStartingVersion") else {
      throw fault("isStartingVersion", expected: "true or false")
    }
    self.init(
      reservoirID: reservoirID, version: try integer("reservoirVersion", atLeast: 0),
      index: try integer("index", atLeast: Self.beforeFirstFile),
      isStartingVersion: isStartingVersion)
  }

  /// The text that Spark would write, to the byte: it compares offsets as text.
  package var json: String {
    var writer = JSONWriter()
    writer.beginObject()
    writer.field("sourceVersion", Self.sourceVersion)
    writer.field("reservoirId", reservoirID)
    writer.field("reservoirVersion", version)
    writer.field("index", index)
    writer.field("isStartingVersion", isStartingVersion)
    writer.endObject()
    return writer.text
  }

  /// Whether there may be something between this offset and `other` of the same table.
  package func isBefore(_ other: DeltaSourceOffset) -> Bool {
    (version, index) < (other.version, other.index)
  }

  private static let sourceVersion: Int64 = 1
}
