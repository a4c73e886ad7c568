import DeltaLake
import Parquet

/// All rows of a table as sorted lines of text, the same notation as the Python readers print, so
/// that two readers agree when the lines are equal.
enum TableRows {
  static func read(_ table: DeltaTable) throws -> [String] {
    var rows: [String] = []
    for file in try table.liveFiles() { rows += try read(file, of: table) }
    return rows.sorted()
  }

  static func read(_ file: AddFile, of table: DeltaTable) throws -> [String] {
    let reader = try table.openFile(file)
    let fields = table.snapshot.schema.fields.sorted { $0.name < $1.name }
    var rows: [String] = []
    for group in 0..<reader.rowGroupCount {
      let count = Int(reader.rowCount(ofRowGroup: group))
      let columns = try fields.map { field -> [String] in
        if let value = file.partitionValues[field.name] {
          return Array(repeating: value ?? "null", count: count)
        }
        guard let leaf = reader.leaf(ofColumn: field.name) else {
          return Array(repeating: "null", count: count)
        }
        return texts(
          try reader.readColumn(rowGroup: group, leaf: leaf), reader.schema.leaves[leaf], count,
          isBinary: field.type == .binary)
      }
      for row in 0..<count {
        let cells = zip(fields, columns).map { "\($0.name)=\($1[row])" }
        rows.append(cells.joined(separator: "|"))
      }
    }
    return rows
  }

  static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func texts(
    _ column: ColumnValues, _ leaf: LeafColumn, _ count: Int, isBinary: Bool
  ) -> [String] {
    var present = texts(column.values, isBinary: isBinary).makeIterator()
    guard leaf.maxDefinitionLevel > 0 else { return Array(present) }
    return (0..<count).map { row in
      let isPresent = column.definitionLevels[row] == leaf.maxDefinitionLevel
      return isPresent ? present.next() ?? "too few values" : "null"
    }
  }

  private static func texts(_ values: ColumnValues.Storage, isBinary: Bool) -> [String] {
    switch values {
    case .boolean(let values): values.map(String.init)
    case .int32(let values): values.map { String($0) }
    case .int64(let values): values.map { String($0) }
    case .timestampFromInt96(let values): values.map { String($0) }
    case .float(let values): values.map { "\($0)" }
    case .double(let values): values.map { "\($0)" }
    case .byteArray(let values):
      (0..<values.count).map { index in
        isBinary ? hex(Array(values[index])) : values.string(index)
      }
    case .fixed: []
    }
  }
}
