/// A seeded source of events that are nearly right.
struct TestRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &self)]
  }

  private mutating func oneIn(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

  // MARK: Values

  private static let scalars = [
    "null", "true", "false", "0", "-0", "7", "-12", "1.50", "1e3", "12345678901234567890", "\"\"",
    "\"x\"", "\"/é\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"a\\n\\\\\"", "\"日本\"",
  ]

  private mutating func value(depth: Int = 0) -> String {
    guard depth < 4, oneIn(3) else { return pick(Self.scalars) }
    let count = Int.random(in: 0...3, using: &self)
    if oneIn(2) {
      let elements = (0..<count).map { _ in value(depth: depth + 1) }
      return "[" + elements.joined(separator: pick([",", ", ", " ,\n"])) + "]"
    }
    let members = (0..<count).map { _ in "\(key()):\(value(depth: depth + 1))" }
    return "{" + members.joined(separator: pick([",", " , "])) + "}"
  }

  private mutating func key() -> String {
    pick([
      "\"utm\"", "\"a\"", "\"\\u0061\"", "\"é\"", "\"kafka_offset\"", "\"Event_id\"", "\"page \"",
      "\"event\\u005fid\"", "\"p\\u0061ge\"", "\"page\"", "\"event_ts\"", "\"customer_id\"", "\"\"",
    ])
  }

  /// A timestamp in the declared form, or off by a little.
  mutating func timestamp() -> String {
    func two(_ value: Int) -> String { (value < 10 ? "0" : "") + String(value) }
    let year = pick(["0000", "0001", "1582", "1900", "1969", "2000", "2024", "2026", "9999"])
    func number(_ range: ClosedRange<Int>) -> String { two(.random(in: range, using: &self)) }
    let date = "\(year)-\(number(0...13))-\(number(0...32))"
    let time = "\(number(0...24)):\(two(pick([0, 59, 60, 30]))):\(two(pick([0, 59, 60, 7])))"
    let fraction = pick(["", "", ".0", ".123", ".123456", ".999999999", ".1234567891", "."])
    let zone = pick(["Z", "+00:00", "-00:00", "+05:30", "-12:00", "+23:59", "+24:00", "", "+5"])
    var text = Array((date + pick(["T", "T", " ", "t"]) + time + fraction + zone).utf8)
    if oneIn(4) {
      text[Int.random(in: 0..<text.count, using: &self)] = pick(Array("0:-+TZ. 9z".utf8))
    }
    return String(decoding: text, as: UTF8.self)
  }

  // MARK: Events

  /// An event with members changed, moved, doubled and added, and half the time damaged bytes.
  mutating func mutatedEvent() -> [UInt8] {
    var event = SampleEvent()
    for _ in 0..<Int.random(in: 0...3, using: &self) {
      let place = Int.random(in: 0..<event.members.count, using: &self)
      switch Int.random(in: 0..<6, using: &self) {
      case 0: event.members[place].value = value()
      case 1: event = event.adding(key(), value(), at: place)
      case 2: event.members.append(event.members[place])
      case 3: event.members.shuffle(using: &self)
      case 4: event.members.append(("\"event_ts\"", "\"\(timestamp())\""))
      default: event = event.adding("\"u\(place)\"", value(), at: place)
      }
    }
    var bytes = event.bytes
    while oneIn(2) { damage(&bytes) }
    return bytes
  }

  private static let texts = [
    "\"", "\\", "{", "}", "[", "]", ",", ":", " ", "\\ud800", "\\u00", "null", "1", "-", ".",
  ]
  private static let fragments: [[UInt8]] = [
    [0], [0x1F], [0x80], [0xC3], [0xED, 0xA0, 0x80], [0xF4, 0x90], [0xFF],
  ]
  private static let pieces = texts.map { Array($0.utf8) } + fragments

  private mutating func damage(_ bytes: inout [UInt8]) {
    let place = Int.random(in: 0..<max(1, bytes.count), using: &self)
    guard place < bytes.count else { return }
    switch Int.random(in: 0..<4, using: &self) {
    case 0: bytes[place] = UInt8.random(in: 0...255, using: &self)
    case 1: bytes.remove(at: place)
    case 2: bytes.removeLast(bytes.count - place)
    default: bytes.insert(contentsOf: pick(Self.pieces), at: place)
    }
  }
}
