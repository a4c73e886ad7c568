import Pipeline
import Testing

@Suite struct RecoveryTests {
  static let batches: [Int64?] = [nil, 0, 1, 2, 3]

  /// Every combination of what the files can say.
  static let observations = batches.flatMap { offsets in
    batches.flatMap { commits in
      batches.flatMap { first in
        batches.flatMap { second in
          [false, true].map { carries in
            RecoveryObservation(
              offsets: offsets, commits: commits, firstTable: first, secondTable: second,
              carriesSecond: carries)
          }
        }
      }
    }
  }

  /// The table once more: each row as a condition of its own, in no order.
  private func rows(matching found: RecoveryObservation) -> [RecoveryRow] {
    let (n, m, b, d) = (
      found.offsets, found.commits ?? -1, found.firstTable ?? -1, found.secondTable ?? -1
    )
    guard let n else { return [m == -1 && b == -1 && d == -1 ? .startNew : .offsetsMissing] }
    let isTooOld = m > n || b > n
    let isAhead = d > b
    let isGap = m < n - 1
    let isFirstLost = b < m
    var rows: [RecoveryRow] = []
    if isTooOld { rows.append(.checkpointTooOld) }
    if isAhead, !isTooOld { rows.append(.secondTableAhead) }
    if isGap, !isTooOld, !isAhead { rows.append(.gapInCommitLog) }
    if isFirstLost, !isTooOld, !isAhead, !isGap { rows.append(.firstTableLostBatch) }
    guard rows.isEmpty else { return rows }
    if m == n, b == n {
      rows.append(found.carriesSecond && d < n ? .secondTableLostBatch : .nextBatch)
    }
    if m == n - 1, b == n - 1 { rows.append(.replayBatch) }
    if m == n - 1, b == n { rows.append(.finishBatch) }
    return rows
  }

  @Test func `every combination matches exactly one row, the documented one`() {
    for found in Self.observations {
      let expected = rows(matching: found)
      #expect(expected.count == 1, "\(found)")
      #expect(expected.first == RecoveryRow.matching(found), "\(found)")
    }
  }

  @Test func `every row is reached`() {
    let reached = Set(Self.observations.map(RecoveryRow.matching))
    #expect(reached == Set(RecoveryRow.allCases))
  }

  @Test func `rows A to D go on, the others wait for an operator`() {
    let going = RecoveryRow.allCases.filter { !$0.isRefusal }.map(\.rawValue)
    #expect(going == ["A", "B", "C", "D"])
  }
}
