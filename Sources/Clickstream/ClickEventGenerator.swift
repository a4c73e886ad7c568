/// How the generated stream departs from a clean one.
///
/// Ratios are shares of all events, 0 to 1.
package struct GeneratorOptions: Equatable, Sendable {
  /// Records that must become dead letters, tombstones among them.
  package var malformedRatio = 0.005
  /// Events that arrive one to thirty minutes after they happened.
  package var lateRatio = 0.01
  /// Events that are sent a second time, byte for byte.
  package var duplicateRatio = 0.005
  /// Visits without a customer: `customer_id` null, no key.
  package var anonymousRatio = 0.1
  /// Events with fields that no column takes.
  package var extraFieldsRatio = 0.02
  /// Distinct customers, numbered from 1.
  package var customers = 1000
  /// Visits that go on at the same time.
  package var concurrentVisits = 50

  package init() {}
}

/// One record for Kafka, with what must become of it.
package struct GeneratedEvent: Equatable, Sendable {
  /// The customer's id as text; nil for an anonymous visitor.
  package let key: [UInt8]?
  /// Nil for a tombstone.
  package let value: [UInt8]?
  /// Nil if the record is a row of Bronze.
  package let expectedReason: DeadLetterReason?
  /// Sent before.
  package var isDuplicate = false
  /// Happened at least a minute before it was sent.
  package let isLate: Bool
}

/// Click events as the shop's site sends them, the same for the same seed and clock.
///
/// Visits overlap; each goes through the shop's funnel (views and searches, then a cart, then
/// perhaps a purchase). Events reach the topic a little out of order, some late, some twice, some
/// damaged, as the options say.
package struct ClickEventGenerator {
  private let options: GeneratorOptions
  private let startTime: Int64
  private var random: SeededRandom
  private var visits: [Visit] = []
  /// What was sent lately, the source of duplicates.
  private var recent: [GeneratedEvent] = []
  private var recentPlace = 0

  private static let recentCount = 256
  private static let pages = [
    "/", "/category/electronics", "/category/clothing", "/category/books",
    "/category/home-garden", "/category/sports", "/category/toys", "/category/beauty",
    "/category/food", "/account", "/help", "/deals",
  ]

  /// `startTime`, in microseconds since 1970, is the earliest clock that counts: an earlier `now`
  /// is taken for it.
  package init(seed: UInt64, options: GeneratorOptions = GeneratorOptions(), startTime: Int64) {
    precondition(
      options.customers > 0 && options.concurrentVisits > 0,
      "somebody must visit the shop: customers and concurrent visits are at least 1")
    self.options = options
    self.startTime = startTime
    random = SeededRandom(seed: seed)
  }

  /// The record to send at `now`, in microseconds since 1970.
  package mutating func next(now: Int64) -> GeneratedEvent {
    if !recent.isEmpty, random.chance(options.duplicateRatio) {
      var again = random.element(of: recent)
      again.isDuplicate = true
      return again
    }
    let event = newEvent(now: max(now, startTime))
    remember(event)
    return event
  }

  private mutating func remember(_ event: GeneratedEvent) {
    if recent.count < Self.recentCount {
      recent.append(event)
    } else {
      recent[recentPlace] = event
      recentPlace = (recentPlace + 1) % Self.recentCount
    }
  }

  private mutating func newEvent(now: Int64) -> GeneratedEvent {
    let isLate = random.chance(options.lateRatio)
    // Between the browser and the topic: tens of milliseconds, so neighbours change places.
    var delay = random.exponential(mean: 0.05)
    if isLate { delay += 60 + random.unit() * 1740 }
    let draft = nextDraft(time: now - Int64(delay * 1_000_000))
    let key = draft.customer.map { Array(String($0).utf8) }
    guard random.chance(options.malformedRatio) else {
      return GeneratedEvent(
        key: key, value: Array(draft.text().utf8), expectedReason: nil, isLate: isLate)
    }
    let flaw = random.element(of: EventFlaw.allCases)
    let value = flaw.value(of: draft, cut: random.unit())
    return GeneratedEvent(
      key: key, value: value, expectedReason: flaw.reason, isLate: isLate)
  }

  /// The next step of one of the visits.
  private mutating func nextDraft(time: Int64) -> EventDraft {
    while visits.count < options.concurrentVisits { visits.append(newVisit()) }
    let place = random.below(visits.count)
    var visit = visits[place]
    let step = nextStep(of: &visit)
    if visit.stepsLeft == 0 { visits.remove(at: place) } else { visits[place] = visit }
    let hasExtras = random.chance(options.extraFieldsRatio)
    return EventDraft(
      eventID: random.uuid(), customer: visit.customer,
      product: step == .search ? nil : 1 + random.below(1000), type: step.rawValue,
      sessionID: visit.sessionID, page: page(of: step), time: time,
      extras: hasExtras ? #", "utm_source": "newsletter", "ab_tests": [3, 14]"# : "")
  }

  private mutating func newVisit() -> Visit {
    let isAnonymous = random.chance(options.anonymousRatio)
    return Visit(
      customer: isAnonymous ? nil : 1 + random.below(options.customers),
      sessionID: random.uuid(), stepsLeft: 3 + random.below(13))
  }

  /// A visit with something in the cart ends with a purchase two times of three.
  private mutating func nextStep(of visit: inout Visit) -> Step {
    visit.stepsLeft -= 1
    if visit.hasCart, visit.stepsLeft == 0, random.below(3) < 2 { return .purchase }
    switch random.below(100) {
    case 0..<62: return .pageView
    case 62..<80: return .search
    default:
      visit.hasCart = true
      return .addToCart
    }
  }

  private mutating func page(of step: Step) -> String {
    switch step {
    case .pageView: random.element(of: Self.pages)
    case .search: "/search"
    case .addToCart: "/cart"
    case .purchase: "/checkout"
    }
  }

  private struct Visit {
    let customer: Int?
    let sessionID: String
    var stepsLeft: Int
    var hasCart = false
  }

  private enum Step: String {
    case pageView = "page_view"
    case search
    case addToCart = "add_to_cart"
    case purchase
  }
}
