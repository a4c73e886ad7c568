/// What a recomputation found to be different: at most twenty findings, then numbers only.
struct Differences {
  /// Spelled out whatever their code; beyond it each code gets one finding.
  private static let spelledOut = 12

  private(set) var findings: [Finding] = []
  private var counts: [String: Int64] = [:]

  mutating func find(_ code: String, _ place: String, expected: String, found: String) {
    let known = counts[code] ?? 0
    counts[code] = known + 1
    guard known == 0 || findings.count < Self.spelledOut else { return }
    findings.append(Finding(code, place, expected: expected, found: found))
  }

  /// How often each code was found, when not all are spelled out.
  var notes: [String] {
    guard counts.values.reduce(0, +) > findings.count else { return [] }
    let texts = counts.sorted { $0.key < $1.key }.map { "\(RunReport.grouped($1)) \($0)" }
    return ["not all differences are listed; there are \(texts.joined(separator: ", "))"]
  }
}
