import Foundation
import Testing

@testable import Systemd

/// Calendar expressions beside what systemd itself makes of them.
struct CalendarTests {
  private static let analyze = ["/usr/bin/systemd-analyze", "/bin/systemd-analyze"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  private static let manual = [
    "Sat,Thu,Mon..Wed,Sat..Sun", "Mon,Sun 2032-*-* 2,1:23", "Wed *-1", "Wed..Wed,Wed *-1",
    "Wed, 17:48", "Wed..Sat,Tue 32-10-15 1:2:3", "*-*-7 0:0:0", "10-15", "monday *-12-* 17:00",
    "Mon,Fri *-*-3,1,2 *:30:45", "12,14,13,12:20,10,30", "12..14:10,20,30",
    "mon,fri *-1/2-1,3 *:30:45", "03-05 08:05:40", "08:05:40", "05:40", "Sat,Sun 12-05 08:05:40",
    "Sat,Sun 08:05:40", "2033-03-05 05:40", "2023..2033-02..04-05", "2033-03-05 05:40 UTC",
    "2033-03-05", "03-05", "hourly", "daily", "daily UTC", "monthly", "weekly", "yearly",
    "annually", "quarterly", "semiannually", "minutely", "*:2/3", "*-*~01", "*-02~03",
    "Mon *-05~07/1", "*-2..4~1", "*:*:0/0.5", "*:*:1.5", "1:2:3.1234567", "*:*:*", "@1895716396",
    "Mon, 10:00", "10:00 utc", "*:1..9/2,30", "*-*-1/10 0:0", "*-02-29", "*-*-31", "*-*~31",
    "Fri *-*-13", "*:*:0..59.5", "*-1..12/5-*/", "2:30", "*:30", "2:30,45", "1..3:15",
  ]

  private static let refused = [
    "", " ", "*", "10", "24:00", "*-13-1", "1:1:60", "*-*-31/2", "*:50/20", "*:5..3", "*:*/5",
    "*/2:00", "Mon 10:00,", " 10:00", "10:00 ", "10:00utc", "Fri..Mon", "Mon..", "Mon,Tue,,Wed",
    "Monday Tuesday", "*:0/100", "*:0/0", "*-*-0", "1969-1-1", "2200-1-1", "10:00:00:00",
    "*-*-*-*", "Mon~1", "1-1~1-1", "*:-5", "٣:00", "10:00\n", "*-*-01..-05", "10:*:0.",
    "*-*~29", "*-*~20..31", "*-*~7/7", "*-*~18..31/6", "*:*:0..0.5",
  ]

  /// Places of a random expression, some of which no calendar accepts.
  private static func random(_ generator: inout some RandomNumberGenerator) -> String {
    func place(_ range: ClosedRange<Int>, most items: Int = 3) -> String {
      func item() -> String {
        let number = Int.random(in: range, using: &generator)
        let most = range.upperBound
        return switch Int.random(in: 0..<6, using: &generator) {
        case 0: "\(number)/\(Int.random(in: 1...max(1, most / 3), using: &generator))"
        case 1: "\(number)..\(Int.random(in: range, using: &generator))"
        case 2: "\(number)..\(most)/\(Int.random(in: 1...max(1, most / 2), using: &generator))"
        default: String(number)
        }
      }
      let count = Int.random(in: 0...items, using: &generator)
      return count == 0 ? "*" : (0..<count).map { _ in item() }.joined(separator: ",")
    }
    let days = ["", "", "Mon ", "Tue..Sat ", "sun,Wednesday ", "Fri..Sat,Mon "]
    var text = days.randomElement(using: &generator) ?? ""
    if Bool.random(using: &generator) {
      let year = Bool.random(using: &generator) ? "*" : place(2026...2031)
      let mark = Int.random(in: 0..<4, using: &generator) == 0 ? "~" : "-"
      // systemd 252 refuses some lists that count from the month's end, without a rule to be seen.
      text += "\(year)-\(place(1...12))\(mark)\(place(1...31, most: mark == "~" ? 1 : 3)) "
    }
    text += "\(place(0...23)):\(place(0...59))"
    if Bool.random(using: &generator) { text += ":\(place(0...59))" }
    return text
  }

  /// What systemd says: the next instants in seconds since 1970, or `nil` for a refusal.
  private static func systemd(_ text: String, after base: Int, zone: String) throws -> [Int]? {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: try #require(analyze))
    process.arguments = [
      "calendar", "--iterations=4", "--base-time=@\(base)", "--", text,
    ]
    process.environment = ["TZ": zone, "LC_ALL": "C", "SYSTEMD_LOG_LEVEL": "crit"]
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = String(
      decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { return nil }
    // "Next elapse: Tue 2026-11-24 16:25:00 CET", and below it "(in UTC): …" where that differs.
    var instants: [Int] = []
    for line in output.split(separator: "\n") {
      guard let colon = line.range(of: ": ") else { continue }
      let name = line[..<colon.lowerBound].trimmingCharacters(in: .whitespaces)
      guard name == "Next elapse" || name.hasPrefix("Iter") || name == "(in UTC)",
        !line.hasSuffix("never")
      else { continue }
      let words = line[colon.upperBound...].split(separator: " ")
      let numbers = (words[1].split(separator: "-") + words[2].split(separator: ":"))
        .compactMap { Int32($0) }
      var parts = tm()
      (parts.tm_year, parts.tm_mon, parts.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
      (parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[3], numbers[4], numbers[5])
      if name == "(in UTC)" { instants.removeLast() }
      instants.append(timegm(&parts))
    }
    return instants
  }

  private static func ours(_ text: String, after base: Int) -> [Int]? {
    guard let expression = try? CalendarExpression(text) else { return nil }
    var instants: [Int] = []
    var time = Int64(base) * 1_000_000
    while instants.count < 4, let next = expression.next(after: time) {
      instants.append(Int(next / 1_000_000))
      time = next
    }
    return instants
  }

  private static func differences(_ texts: [String], after bases: [Int], zone: String) -> [String] {
    setenv("TZ", zone, 1)
    tzset()
    return texts.flatMap { text in
      bases.compactMap { base in
        let expected = try? systemd(text, after: base, zone: zone)
        let found = ours(text, after: base)
        return expected == found
          ? nil
          : "\"\(text)\" after \(base): \(String(describing: found)), "
            + "not \(String(describing: expected))"
      }
    }
  }

  /// 2026-11-24 15:20:00, 2028-02-28 23:59:59, and 1970-01-01.
  private static let bases = [1_795_533_600, 1_835_395_199, 0]

  @Test(.enabled(if: analyze != nil, "systemd-analyze is not installed"))
  func `Every form of the manual elapses when systemd says`() async {
    let child = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      let found = CalendarTests.differences(
        CalendarTests.manual + CalendarTests.refused, after: CalendarTests.bases, zone: "UTC")
      for line in found { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    }
    report(child)
  }

  @Test(.enabled(if: analyze != nil, "systemd-analyze is not installed"))
  func `Random expressions elapse when systemd says`() async {
    let child = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      var generator = SplitMix(state: 9)
      let texts = (0..<400).map { _ in CalendarTests.random(&generator) }
      let accepted = texts.count { (try? CalendarExpression($0)) != nil }
      precondition((80..<400).contains(accepted), "\(accepted) of 400 are accepted")
      let found = CalendarTests.differences(
        texts, after: [CalendarTests.bases[0]], zone: "UTC")
      for line in found { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    }
    report(child)
  }

  /// Berlin's clocks are put forward on 2026-03-29 02:00 and back on 2026-10-25 03:00.
  @Test(.enabled(if: analyze != nil, "systemd-analyze is not installed"))
  func `Clocks that are put forward and back elapse when systemd says`() async {
    let child = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      let bases = [1_774_742_400, 1_774_745_999, 1_792_882_800, 1_792_886_399]
      let found = CalendarTests.differences(
        ["2:30", "*:30", "*:0/15", "1..4:0/20", "daily", "3:00", "2:30 UTC", "*:*:0/10"],
        after: bases, zone: "Europe/Berlin")
      for line in found { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    }
    report(child)
  }

  private func report(_ child: ExitTest.Result?) {
    let lines = String(decoding: child?.standardErrorContent ?? [], as: UTF8.self)
    #expect(lines.isEmpty)
  }

  @Test(arguments: [
    ("10:00 Mars/Olympus", "Mars/Olympus"), ("24:00", "hour 24"), ("Mon..Fri 8", "hour:minute"),
    ("*:0/0", "step"), ("Moon 10:00", "Moon"),
  ])
  func `A refusal names what is not understood`(text: String, part: String) throws {
    let error = #expect(throws: CalendarExpressionError.self) { try CalendarExpression(text) }
    #expect(try #require(error).description.contains(part))
  }
}

/// Numbers that are the same in every run.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
