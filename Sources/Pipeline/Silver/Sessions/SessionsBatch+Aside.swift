internal import Clickstream
internal import DeltaLake
internal import DurableIO

/// Sessions leave memory in the middle of a large batch.
///
/// A batch may hold more sessions than memory should: most of them got their last event long ago,
/// by the time of the events. Those are staged and dropped; a later event that reaches one takes
/// it back from its staged file as from any cold one.
extension SessionsBatch {
  /// Stages the sessions that are final, parked or quiet.
  ///
  /// - Parameter placement: with what is known of the next watermark.
  /// - Returns: a set of those that stay, over a visitor table of their own; the same set when
  ///   neither it nor its visitors would shrink by a quarter.
  /// - Throws: `SystemError`, `ParquetError`; call `discard()` then.
  func setAside(_ set: SessionSet, _ placement: SessionPlacement) throws -> SessionSet {
    let sorted = SortedSessions(
      set, placement, TakenFinals(takenFinal), timestamp: timestamp, asideOnly: true)
    let count = sorted.final.count + sorted.quiet.count + sorted.parked.count
    let isWorthwhile = count >= max(1, set.count / 4)
    guard isWorthwhile || set.visitors.count > set.count * 2 else { return set }
    if isWorthwhile { try stage(sorted, placement, set) }
    let rebuilt = set.rebuilt()
    renumber(from: set.visitors, to: rebuilt.visitors)
    return rebuilt
  }

  private func stage(
    _ sorted: SortedSessions, _ placement: SessionPlacement, _ set: SessionSet
  ) throws {
    becameFinalAside += sorted.counts.becameFinal
    try stage(sorted.final, isFinal: true, isQuiet: false, set.visitors)
    try stage(sorted.quiet, isFinal: false, isQuiet: true, set.visitors)
    try stage(sorted.parked, isFinal: false, isQuiet: false, set.visitors)
    set.removeAll { placement.place(of: $0) != .hot || placement.isQuiet($0) }
  }

  private func stage(
    _ added: [Session], isFinal: Bool, isQuiet: Bool, _ visitors: VisitorTable
  ) throws {
    guard !added.isEmpty else { return }
    var staged = StagedSessions()
    try write(isFinal: isFinal, limits: .cold, &staged) { writer in
      for session in added { try writer.append(session, visitors) }
    }
    for add in staged.adds {
      let file = try SessionFile(add, table: sessions.table.path)
      aside.append(AsideFile(add: add, touched: TouchedFile(file), isQuiet: isQuiet))
    }
  }

  /// Sessions that were final keep being known as such by the numbers of the new table.
  private func renumber(from old: VisitorTable, to new: VisitorTable) {
    takenFinal = takenFinal.compactMap { taken in
      guard let visitor = old.withBytes(of: taken.visitor, new.find) else { return nil }
      var taken = taken
      taken.visitor = visitor
      return taken
    }
  }

  /// Names the files of sessions that were set aside; those of which a row was taken back are
  /// written again without it.
  func stageAside(_ staged: inout StagedSessions) throws {
    staged.counts.becameFinal += becameFinalAside
    for file in aside {
      if file.touched.taken.count == 0 {
        staged.adds.append(file.add)
        if file.isQuiet { staged.quietPaths.insert(file.add.path) }
        continue
      }
      var again = StagedSessions()
      try write(isFinal: file.touched.file.isFinal, limits: .cold, &again) { writer in
        guard file.touched.file.rows != Int64(file.touched.taken.count) else { return }
        let reader = try SessionFileReader(file.touched.file, of: sessions.table)
        try writer.merge([SessionCursor(reader, skipping: file.touched.taken)])
      }
      staged.adds += again.adds
      if file.isQuiet { staged.quietPaths.formUnion(again.adds.map(\.path)) }
      try Files.remove("\(sessions.table.path)/\(file.add.filePath)")
    }
    aside = []
  }
}
