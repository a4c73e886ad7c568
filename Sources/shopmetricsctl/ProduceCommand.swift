import Clickstream
import Glibc
import Kafka
import Pipeline
import Systemd

/// `shopmetricsctl produce`: realistic click events, keyed by customer.
struct ProduceCommand {
  private let options: OperatorCommand.ProduceOptions
  private let topic: String
  private let producer: KafkaProducer

  init(_ options: OperatorCommand.ProduceOptions) throws {
    self.options = options
    let kafka: KafkaSettings
    if let brokers = options.brokers {
      kafka = Configuration(brokers: brokers.split(separator: ",").map(String.init)).kafka
    } else {
      kafka = try Operator.configuration(options.configuration, asksBrokers: true).kafka
    }
    topic = options.topic ?? kafka.topic
    var properties = kafka.clientProperties.map { ($0.name, $0.value) }
    if !properties.contains(where: { $0.0 == "message.timeout.ms" }) {
      // librdkafka would hold records for five minutes; whoever tries something out waits for less.
      properties.append(("message.timeout.ms", "30000"))
    }
    producer = try KafkaProducer(
      KafkaConfiguration(
        brokers: kafka.brokers, clientID: "shopmetricsctl", properties: properties))
  }

  /// - Throws: `PipelineError` when the brokers did not take a record in time.
  func execute() throws -> ExitStatus {
    Interruption.catchSignals()
    var counts = Counts()
    do {
      try produce(&counts)
    } catch let error as KafkaError {
      let problem = PipelineError.translating(error)
      throw PipelineError(
        problem.code, problem.kind, problem.message,
        effect: "\(counts.summary) were made, the last ones may not have arrived",
        remedy: "see that the brokers run and can be reached, then produce again")
    }
    print(PrintableText.escaping("produced \(counts.summary) to \(topic)"))
    return .success
  }

  private func produce(_ counts: inout Counts) throws {
    let clock = EventClock(options)
    var generator = ClickEventGenerator(
      seed: options.seed ?? UInt64.random(in: .min ... .max), options: generatorOptions,
      startTime: clock.time(of: 0))
    let pace = Pace(rate: options.rate)
    var confirmed = Int64.min
    while counts.all < options.events ?? .max {
      pace.wait(before: counts.all)
      if Interruption.isRequested { break }
      let event = generator.next(now: clock.time(of: counts.all))
      try producer.send(topic: topic, key: event.key, value: event.value)
      counts.note(event)
      // The first record at once, then once a second: a broker that is away is noticed soon.
      guard MonotonicClock.milliseconds() > confirmed + 1000 else { continue }
      try confirm(unless: { Interruption.isRequested })
      confirmed = MonotonicClock.milliseconds()
    }
    try confirm(unless: { false })
  }

  private var generatorOptions: GeneratorOptions {
    var settings = GeneratorOptions()
    settings.customers = options.customers
    settings.malformedRatio = options.malformed
    settings.lateRatio = options.late
    settings.duplicateRatio = options.duplicates
    return settings
  }

  /// Waits until the brokers have everything that was sent, at most ten seconds.
  private func confirm(unless isStopped: () -> Bool) throws {
    let limit = MonotonicClock.milliseconds() + 10_000
    while !isStopped() {
      do {
        return try producer.flush(timeout: .milliseconds(200))
      } catch {
        let isSlow = error.name == "_TIMED_OUT" && MonotonicClock.milliseconds() < limit
        guard isSlow else { throw error }
      }
    }
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

/// When events happen: now, or evenly over a time that ends now.
private struct EventClock {
  private let began = wallClockMilliseconds() * 1000
  /// Microseconds from one event to the next; `nil` without `--since`.
  private let interval: Double?
  private let first: Int64

  init(_ options: OperatorCommand.ProduceOptions) {
    guard let since = options.since, let events = options.events else {
      interval = nil
      first = began
      return
    }
    let microseconds = since / .microseconds(1)
    interval = microseconds / Double(events)
    first = began - Int64(microseconds)
  }

  /// Microseconds since 1970.
  func time(of index: Int64) -> Int64 {
    guard let interval else { return wallClockMilliseconds() * 1000 }
    return first + Int64(Double(index) * interval)
  }
}

/// Spreads the sending of events evenly over time.
private struct Pace {
  private let intervalMilliseconds: Double?
  private let began = MonotonicClock.milliseconds()

  init(rate: Double?) {
    intervalMilliseconds = rate.map { 1000 / $0 }
  }

  /// Sleeps until event number `index` is due, or an interruption.
  func wait(before index: Int64) {
    guard let intervalMilliseconds else { return }
    let due = began + Int64(Double(index) * intervalMilliseconds)
    while !Interruption.isRequested {
      let left = due - MonotonicClock.milliseconds()
      guard left > 0 else { return }
      usleep(UInt32(min(left, 100)) * 1000)
    }
  }
}
