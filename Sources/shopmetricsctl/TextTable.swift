/// Columns of text for a terminal, as wide as their widest cell.
struct TextTable {
  enum Alignment {
    case left, right
  }

  private let alignments: [Alignment]
  private var rows: [[String]]

  /// - Parameter columns: the headings, and on which side their cells are flush.
  init(_ columns: [(heading: String, alignment: Alignment)]) {
    alignments = columns.map(\.alignment)
    rows = [columns.map(\.heading)]
  }

  /// The last cells may be missing; what would be the last one then may be of any width.
  mutating func add(_ cells: [String]) { rows.append(cells) }

  var lines: [String] {
    let widths = alignments.indices.map { column in
      rows.filter { $0.count == alignments.count }.map { $0[column].count }.max() ?? 0
    }
    return rows.map { cells in
      cells.indices.map { column in
        let isLast = column == cells.count - 1
        let space = String(repeating: " ", count: max(0, widths[column] - cells[column].count))
        return switch alignments[column] {
        case .left: isLast ? cells[column] : cells[column] + space
        case .right: isLast && cells.count < widths.count ? cells[column] : space + cells[column]
        }
      }.joined(separator: "  ")
    }
  }
}
