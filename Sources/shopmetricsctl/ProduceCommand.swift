import Clickstream
import Glibc
import Kafka
import Pipeline
import Synchronization

/// `shopmetricsctl produce`: realistic click events, keyed by customer.
struct ProduceCommand {
  private let options: OperatorCommand.ProduceOptions
  private let topic: String
  private let producer: KafkaProducer

  /// Set by SIGINT and SIGTERM; the handler may do nothing more than this.
  private static let interrupted = Atomic<Bool>(false)

  init(_ options: OperatorCommand.ProduceOptions) throws {
    self.options = options
    let kafka: KafkaSettings
    if let brokers = options.brokers {
      kafka = Configuration(brokers: brokers.split(separator: ",").map(String.init)).kafka
    } else {
      kafka = try Operator.configuration(options.configuration).kafka
    }
    topic = options.topic ?? kafka.topic
    producer = try KafkaProducer(
      KafkaConfiguration(
        brokers: kafka.brokers, clientID: "shopmetricsctl",
        properties: kafka.clientProperties.map { ($0.name, $0.value) }))
  }

  func execute() throws -> ExitStatus {
    signal(SIGINT) { _ in ProduceCommand.interrupted.store(true, ordering: .relaxed) }
    signal(SIGTERM) { _ in ProduceCommand.interrupted.store(true, ordering: .relaxed) }
    var settings = GeneratorOptions()
    settings.malformedRatio = options.malformed
    settings.lateRatio = options.late
    settings.duplicateRatio = options.duplicates
    var generator = ClickEventGenerator(
      seed: options.seed ?? UInt64.random(in: .min ... .max), options: settings,
      startTime: wallClockMilliseconds() * 1000)
    var counts = Counts()
    let pace = Pace(rate: options.rate)
    while !Self.interrupted.load(ordering: .relaxed), counts.all < options.events ?? .max {
      pace.wait(before: counts.all) { Self.interrupted.load(ordering: .relaxed) }
      let event = generator.next(now: wallClockMilliseconds() * 1000)
      try producer.send(topic: topic, key: event.key, value: event.value)
      counts.note(event)
    }
    try producer.flush(timeout: .seconds(30))
    print("produced \(counts.summary) to \(topic)")
    return .success
  }

  private struct Counts {
    var all: Int64 = 0
    var malformed: Int64 = 0
    var late: Int64 = 0
    var duplicates: Int64 = 0

    mutating func note(_ event: GeneratedEvent) {
      all += 1
      if event.expectedReason != nil { malformed += 1 }
      if event.isLate { late += 1 }
      if event.isDuplicate { duplicates += 1 }
    }

    var summary: String {
      "\(RunReport.grouped(all)) events (\(RunReport.grouped(malformed)) malformed, "
        + "\(RunReport.grouped(late)) late, \(RunReport.grouped(duplicates)) duplicates)"
    }
  }
}

/// Spreads events evenly over time.
private struct Pace {
  private let intervalMicroseconds: Double?
  private let began = MonotonicClock.milliseconds()

  init(rate: Double?) {
    intervalMicroseconds = rate.map { 1_000_000 / $0 }
  }

  /// Sleeps until event number `index` is due, waking up now and then to look for a stop.
  func wait(before index: Int64, unless isStopped: () -> Bool) {
    guard let intervalMicroseconds else { return }
    let due = began + Int64(Double(index) * intervalMicroseconds / 1000)
    while !isStopped() {
      let left = due - MonotonicClock.milliseconds()
      guard left > 0 else { return }
      usleep(UInt32(min(left, 100)) * 1000)
    }
  }
}
