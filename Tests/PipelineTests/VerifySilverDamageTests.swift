import DeltaLake
import DurableIO
import Foundation
import Testing

@testable import Pipeline

/// One way to damage a Silver that is sound, and what must be found then.
struct SilverDamage: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let codes: Set<String>
  /// What the recomputation finds besides.
  let deepCodes: Set<String>
  let apply: @Sendable (VerifySilverFixture) throws -> Void

  init(
    _ name: String, finds codes: Set<String>, deep deepCodes: Set<String> = [],
    _ apply: @escaping @Sendable (VerifySilverFixture) throws -> Void
  ) {
    testDescription = name
    self.codes = codes
    self.deepCodes = deepCodes
    self.apply = apply
  }
}

@Suite("Verification finds damage of Silver")
struct VerifySilverDamageTests {
  @Test(arguments: sessions + events + files + checkpointFiles + logs + bronze)
  func `Damage of Silver is found, named, and nothing else is blamed`(damage: SilverDamage) throws {
    let fixture = try VerifySilverFixture()
    try damage.apply(fixture)
    func check(_ report: VerificationReport, _ codes: Set<String>) {
      let found = report.findings.map(\.description).joined(separator: "\n")
      #expect(Set(report.findings.map(\.code)) == codes, Comment(rawValue: found))
    }
    check(try fixture.verify(), damage.codes)
    check(try fixture.verify(isDeep: true, rows: 60), damage.codes.union(damage.deepCodes))
  }

  private static let sessions = [
    SilverDamage(
      "a session that is gone", finds: ["EVENTS_IN_SESSIONS"], deep: ["SESSION_MISSING"]
    ) { try $0.editSessions { $0.remove(at: 4) } },
    SilverDamage(
      "a session that is there twice", finds: ["EVENTS_IN_SESSIONS"], deep: ["SESSION_TWICE"]
    ) { try $0.editSessions { $0.append($0[4]) } },
    SilverDamage(
      "an event too many in a session", finds: ["EVENTS_IN_SESSIONS"], deep: ["SESSION_DIFFERS"]
    ) { try $0.editSessions { $0[4].events += 1 } },
    SilverDamage("an event in the wrong session", finds: [], deep: ["SESSION_DIFFERS"]) {
      try $0.editSessions { rows in
        rows[4].events += 1
        // One with an event that counts as no kind.
        let other = rows.firstIndex {
          $0.events > $0.pageViews + $0.addsToCart + $0.purchases + $0.searches && $0 != rows[4]
        }
        guard let other else { return }
        rows[other].events -= 1
      }
    },
    SilverDamage("a wrong count of one kind", finds: [], deep: ["SESSION_DIFFERS"]) {
      try $0.editSessions { rows in
        let index = rows.firstIndex { $0.pageViews > 0 } ?? 0
        rows[index].pageViews -= 1
      }
    },
    SilverDamage("a customer's session as an anonymous one", finds: [], deep: ["SESSION_DIFFERS"]) {
      try $0.editSessions { rows in
        let index = rows.firstIndex { $0.customer != nil } ?? 0
        rows[index].customer = nil
      }
    },
    SilverDamage(
      "a session of a visitor whom Bronze does not know", finds: [],
      deep: ["SESSION_MISSING", "SESSION_UNKNOWN"]
    ) {
      try $0.editSessions {
        $0[4].id = "nobody-\($0[4].first)"
        $0[4].customer = nil
      }
    },
    SilverDamage("a final session said to be open", finds: ["SESSION_PLACE"]) {
      try $0.editSessions { $0[4].isFinal = false }
    },
    SilverDamage("an open session said to be final", finds: ["SESSION_PLACE"]) {
      try $0.editSessions { rows in
        let index = rows.firstIndex { !$0.isFinal } ?? 0
        rows[index].isFinal = true
      }
    },
    SilverDamage("a parked session among the open ones", finds: ["SESSION_PLACE"]) {
      try $0.editSessions(parkedFrom: .max) { _ in }
    },
    SilverDamage(
      "a session_id of another instant", finds: ["SESSION_ROW"], deep: ["FILE_UNREADABLE"]
    ) { try $0.editSessions { $0[4].id += "0" } },
    SilverDamage("a session_date of the day after", finds: ["SESSION_ROW"]) {
      try $0.editSessions { $0[4].date += 1 }
    },
    SilverDamage("a duration that is none", finds: ["SESSION_ROW"]) {
      try $0.editSessions { $0[4].duration += 1 }
    },
    SilverDamage("a purchase that is said to be none", finds: ["SESSION_ROW"]) {
      try $0.editSessions { $0[4].converted.toggle() }
    },
    SilverDamage("a row of a batch that is still to come", finds: ["SESSION_ROW"]) {
      try $0.editSessions { $0[4].updatedAt += VerifySilverFixture.day * 9 }
    },
  ]

  private static let events = [
    SilverDamage("an event that is gone", finds: ["ROW_COUNT"], deep: ["EVENT_MISSING"]) {
      try $0.editEvents { $0.remove(at: 9) }
    },
    SilverDamage("an event that is there twice", finds: ["ROW_COUNT"], deep: ["EVENT_TWICE"]) {
      try $0.editEvents { $0.append($0[9]) }
    },
    SilverDamage(
      "an event twice and another one gone", finds: [], deep: ["EVENT_MISSING", "EVENT_TWICE"]
    ) { try $0.editEvents { $0[10] = $0[9] } },
    SilverDamage(
      "an event that Bronze does not hold", finds: ["ROW_COUNT"], deep: ["EVENT_UNKNOWN"]
    ) {
      try $0.editEvents { rows in
        var event = rows[9]
        event.time += 1
        rows.append(event)
      }
    },
    SilverDamage("a duplicate instead of the survivor", finds: [], deep: ["EVENT_DIFFERS"]) {
      try $0.editEvents { rows in
        let loser = VerifySilverFixture.loser
        guard let survivor = rows.firstIndex(where: { $0.key == loser.key }) else { return }
        rows[survivor] = loser
      }
    },
  ]

  private static let files = [
    SilverDamage("a flipped byte in the footer's length of sessions", finds: ["FILE_UNREADABLE"]) {
      try $0.flipByte(of: $0.dataFile(of: $0.paths.sessions), at: -5)
    },
    SilverDamage("a file of events that was removed", finds: ["FILE_MISSING"]) {
      try Files.remove($0.dataFile(of: $0.paths.events))
    },
    SilverDamage("a file of events that was cut short", finds: ["FILE_SIZE"]) {
      let path = try $0.dataFile(of: $0.paths.events)
      try Data(try Files.read(path).dropLast()).write(to: URL(fileURLWithPath: path))
    },
    SilverDamage("a row count of the log that is not the file's", finds: ["LOG_STATISTICS"]) {
      // The first ones are those of the events, which this commit carries.
      try $0.replaceLast(
        #"\"numRecords\":"#, with: #"\"numRecords\":1"#,
        in: $0.commitFile(of: $0.newestBatch(), in: $0.paths.sessions))
    },
  ]

  private static let checkpointFiles = [
    SilverDamage("a flipped byte in an offsets file", finds: ["CHECKPOINT_DAMAGED"]) {
      try $0.flipByte(of: $0.paths.silverCheckpoint + "/offsets/1", at: 20)
    },
    SilverDamage("a flipped byte in a commits file", finds: ["CHECKPOINT_DAMAGED"]) {
      try $0.flipByte(of: $0.paths.silverCheckpoint + "/commits/0", at: 5)
    },
    SilverDamage("a checkpoint that is older than the tables", finds: ["STATE_CONTRADICTS"]) {
      for log in ["offsets", "commits"] {
        try Files.remove($0.paths.silverCheckpoint + "/\(log)/\($0.newestBatch())")
      }
    },
    SilverDamage("the whole checkpoint removed", finds: ["STATE_CONTRADICTS"]) {
      try FileManager.default.removeItem(atPath: $0.paths.silverCheckpoint)
    },
    SilverDamage("a query id of another query", finds: ["STATE_CONTRADICTS"]) {
      try Files.remove($0.paths.silverCheckpoint + "/.metadata.crc")
      try $0.replaceFirst(
        #"{"id":""#, with: #"{"id":"x"#, in: $0.paths.silverCheckpoint + "/metadata")
    },
    SilverDamage("an offset that went back", finds: ["OFFSETS_WENT_BACK", "BATCH_OFFSETS"]) {
      try Files.remove($0.paths.silverCheckpoint + "/offsets/.1.crc")
      try $0.replaceFirst(
        #""reservoirVersion":3"#, with: #""reservoirVersion":1"#,
        in: $0.paths.silverCheckpoint + "/offsets/1")
    },
    SilverDamage("a watermark that went back", finds: ["WATERMARK_WENT_BACK"]) {
      try Files.remove($0.paths.silverCheckpoint + "/offsets/.1.crc")
      try $0.replaceFirst(
        #""batchWatermarkMs":1"#, with: #""batchWatermarkMs":"#,
        in: $0.paths.silverCheckpoint + "/offsets/1")
    },
    SilverDamage(
      "another watermark than the batch left", finds: ["BATCH_WATERMARK", "WATERMARK_WENT_BACK"]
    ) {
      try Files.remove($0.paths.silverCheckpoint + "/commits/.1.crc")
      try $0.replaceFirst(
        #""nextBatchWatermarkMs":1"#, with: #""nextBatchWatermarkMs":"#,
        in: $0.paths.silverCheckpoint + "/commits/1")
    },
  ]

  private static let logs = [
    SilverDamage(
      "the newest commit of events removed", finds: ["STATE_CONTRADICTS", "EVENTS_MISSING"]
    ) { try Files.remove($0.commitFile(of: $0.newestBatch(), in: $0.paths.events)) },
    SilverDamage("other events than the sessions' commit carries", finds: ["EVENTS_DIFFER"]) {
      try $0.replaceFirst(
        #""dataChange":true"#, with: #""dataChange":false"#,
        in: $0.commitFile(of: 1, in: $0.paths.events))
    },
    SilverDamage("a total that does not go on from the one before", finds: ["CONTINUITY"]) {
      try $0.replaceFirst(
        #""total":{"read":96,"unique":96"#, with: #""total":{"read":97,"unique":97"#,
        in: $0.commitFile(of: 0, in: $0.paths.sessions))
    },
    SilverDamage("an accounting that is none", finds: ["ACCOUNTING_DAMAGED"]) {
      try $0.replaceFirst(
        #""total":{"read":"#, with: #""total":{"read":1"#,
        in: $0.commitFile(of: 0, in: $0.paths.sessions))
    },
    SilverDamage("a newest accounting that is none", finds: ["ACCOUNTING_DAMAGED"]) {
      try $0.replaceFirst(
        #""newestEvent":"#, with: #""newestThing":"#,
        in: $0.commitFile(of: $0.newestBatch(), in: $0.paths.sessions))
    },
    SilverDamage("a batch that begins elsewhere", finds: ["BATCH_OFFSETS", "CONTINUITY"]) {
      try $0.replaceFirst(
        #""reservoirVersion":2"#, with: #""reservoirVersion":1"#,
        in: $0.commitFile(of: 1, in: $0.paths.sessions))
    },
    SilverDamage("a line removed from a commit", finds: ["TABLE_DAMAGED"]) {
      try $0.replaceLast(
        "\n", with: "", in: $0.commitFile(of: 1, in: $0.paths.sessions))
    },
  ]

  private static let bronze = [
    SilverDamage("another Bronze in the old one's place", finds: ["BRONZE_RECREATED"]) {
      try FileManager.default.removeItem(atPath: $0.paths.bronze)
      try $0.appendToBronze(VerifySilverFixture.bronzeRows)
      for _ in 0..<3 { try $0.appendToBronze([]) }
    },
    SilverDamage(
      "a row of Bronze that was taken out", finds: ["SOURCE_ROWS"],
      deep: ["SESSION_UNKNOWN", "EVENT_UNKNOWN"]
    ) { fixture in
      let table = try fixture.table(fixture.paths.bronze)
      let rows = VerifySilverFixture.bronzeRows.filter { $0.offset != 3 }
      let adds = try fixture.write(
        EventsFixture.columns(rows, BronzeSchema.raw), to: table, BronzeSchema.raw)
      try fixture.replaceFiles(of: table, by: adds, dataChange: false)
    },
  ]
}

extension VerifySilverFixture {
  /// The live file of a table that comes first by its name.
  func dataFile(of path: String) throws -> String {
    let files = try table(path).liveFiles().map(\.filePath).sorted()
    guard let first = files.first else { throw Missing(path: path) }
    return "\(path)/\(first)"
  }
}
