internal import DeltaLake

/// The rows of one table, file by file.
struct TableRows {
  /// By the `path` of the log; files that could not be read are not here.
  private(set) var files: [String: FileRows] = [:]
  private(set) var unreadFiles = 0
  private(set) var rowCount: Int64 = 0

  /// Takes in a file that was read.
  mutating func note(_ rows: FileRows, _ file: AddFile) {
    files[file.path] = rows
    rowCount += rows.rowCount
  }

  mutating func noteUnread() { unreadFiles += 1 }

  /// Records of one partition: how many, and their least and greatest offset.
  func records(of partition: Int32) -> FileRows.PartitionRows? {
    var sum: FileRows.PartitionRows?
    for file in files.values {
      guard let rows = file.partitions[partition] else { continue }
      sum = sum?.adding(rows) ?? rows
    }
    return sum
  }

  var partitions: Set<Int32> { Set(files.values.flatMap(\.partitions.keys)) }

  /// The files of one commit; `nil` when one of them is not in the table (any more).
  func files(addedBy actions: [Action]) -> [FileRows]? {
    var rows: [FileRows] = []
    for case .add(let file) in actions {
      guard let known = files[file.path] else { return nil }
      rows.append(known)
    }
    return rows
  }

  /// A file whose range of offsets holds this one, other than `path`.
  func fileAround(_ offset: Int64, of partition: Int32, otherThan path: String) -> String? {
    files.filter { name, rows in
      name != path && rows.partitions[partition]?.offsets.contains(offset) == true
    }.keys.min()
  }
}

extension FileRows.PartitionRows {
  func adding(_ other: Self) -> Self {
    Self(
      count: count + other.count, counted: counted + other.counted,
      offsets: offsets.union(other.offsets))
  }
}
