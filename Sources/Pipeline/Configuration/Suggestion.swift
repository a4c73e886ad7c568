/// "Did you mean": the nearest name, when it is near enough to be what was meant.
package enum Suggestion {
  /// For an unknown key of a table: a key of that table, else the same key of another one.
  static func key(for path: String, in table: String) -> String? {
    let key = path.dropFirst(table.isEmpty ? 0 : table.utf8.count + 1)
    let here = Schema.settings.filter { $0.table == table }.map { String($0.key) }
    if let near = nearest(to: String(key), among: here) { return near }
    return Schema.settings.first { $0.key == key }?.path
  }

  static func table(for path: String) -> String? { nearest(to: path, among: Schema.tables) }

  /// At most a third of the letters may differ, two at least.
  package static func nearest(to name: String, among candidates: [String]) -> String? {
    let limit = max(2, name.utf8.count / 3)
    let ranked = candidates.map { (name: $0, distance: distance(name, $0)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= limit && best.distance < best.name.utf8.count ? best.name : nil
  }

  /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
  ///
  /// Counted in bytes, of which the first 64 are looked at: longer names are no misspelling.
  static func distance(_ left: String, _ right: String) -> Int {
    let a = Array(left.lowercased().utf8.prefix(64))
    let b = Array(right.lowercased().utf8.prefix(64))
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in a.indices {
      var current = [i + 1]
      for j in b.indices {
        let replaced = previous[j] + (a[i] == b[j] ? 0 : 1)
        var best = min(previous[j + 1] + 1, current[j] + 1, replaced)
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
        current.append(best)
      }
      before = previous
      previous = current
    }
    return previous[b.count]
  }
}
