import Foundation
import Testing

@testable import Pipeline

/// Damaged files: whatever the bytes are, there is an answer, and its places are in the file.
struct ConfigurationDamageTests {
  /// SplitMix64, so that a failure names a seed that repeats it.
  private struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }

  private static let tokens = [
    "[", "]", "{", "}", "\"", "'", "\"\"\"", "'''", "\\", "=", ".", ",", "\n", "\r", "#", "\u{0}",
    "\u{FEFF}", "é", "\u{2028}", "[[columns]]", "[kafka]", "-9223372036854775809", "1e999",
    "nan", "2026-13-01", "\\uD800", "password = \"x\"", "a.b.c.d",
  ].map { Array($0.utf8) }

  private static let shipped: [UInt8] = {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let file = root.appendingPathComponent("etc/shopmetrics.toml")
    let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    return Array(text.replacingOccurrences(of: "\n#", with: "\n").utf8)
  }()

  private static func damaged(by random: inout Random) -> [UInt8] {
    var bytes = shipped
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0 ... .max, using: &random)
      case 1: bytes.removeSubrange(place..<min(bytes.count, place + 40))
      case 2: bytes.removeLast(bytes.count - place)
      default: bytes.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: place)
      }
      if bytes.isEmpty { return bytes }
    }
    return bytes
  }

  @Test(arguments: UInt64(0)..<8)
  func `A damaged file gets an answer with places that exist`(seed: UInt64) {
    var random = Random(state: seed)
    for round in 0..<100 {
      let bytes = Self.damaged(by: &random)
      let lineCount = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).count
      var loader = ConfigurationLoader(source: SourceText(bytes))
      let isTOML = loader.parse(bytes)
      if isTOML {
        loader.check(
          file: ConfigurationBytes(bytes: bytes, mode: 0o640),
          surroundings: .init(credentialsDirectory: nil))
        #expect(!ConfigurationDump(loader, path: "f").toml.isEmpty)
      }
      #expect(isTOML || loader.problems.count == 1, "seed \(seed), round \(round)")
      for problem in loader.problems {
        guard let place = problem.place else { continue }
        let length = place.sourceLine.unicodeScalars.count
        #expect((1...lineCount).contains(place.line), "seed \(seed), round \(round)")
        #expect(
          place.length >= 1 && (1...(length + 1)).contains(place.column),
          "seed \(seed), round \(round): \(problem)")
      }
    }
  }
}
