import Kafka
import Testing

@Suite(.enabled(if: HostileBroker.python != nil, "needs a Python, see SHOPMETRICS_PYTHON"))
struct `Damaged and unusual topics` {
  @Test(arguments: HostileBroker.shared?.cases.filter { $0.outcome != "aborts" } ?? [])
  func `every case ends as it is declared to`(hostile: HostileCase) {
    let result = Result(reading: hostile)
    switch hostile.outcome {
    case "read":
      #expect(result.offsets == hostile.offsets)
      #expect(result.error == nil && !result.stalled)
    case "refused":
      #expect(result.error != nil)
    default:
      #expect(result.error == nil && result.stalled)
    }
    // In order, and nothing from behind a damage.
    #expect(hostile.offsets.starts(with: result.offsets))
  }

  @Test func `there are cases`() {
    #expect((HostileBroker.shared?.cases.count ?? 0) > 50)
  }

  @Test func `batches that end where no record is visible need no second report of the end`()
    throws
  {
    let hostile = try #require(HostileBroker.shared?["transaction-aborted-tail"])
    let consumer = try KafkaConsumer.open(
      KafkaConfiguration(brokers: [hostile.bootstrap]), topic: HostileBroker.topic,
      timeout: .seconds(3))
    try consumer.assign([0: 0])
    // 0 to 9 are records, 10 to 19 were aborted, 20 is the marker: the end of 21 comes once.
    #expect(try consumer.read(upTo: [0: 15]).map(\.offset) == Array(0..<10))
    #expect(try consumer.read(upTo: [0: 18]).isEmpty)
    #expect(try consumer.read(upTo: [0: 21]).isEmpty)
  }

  @Test func `a topic that the brokers do not know is named at once`() throws {
    let hostile = try #require(HostileBroker.shared?["good"])
    let began = ContinuousClock.now
    #expect {
      try KafkaConsumer.open(
        KafkaConfiguration(brokers: [hostile.bootstrap]), topic: "no-such-topic",
        timeout: .seconds(20))
    } throws: { error in
      let error = error as? KafkaError
      return error?.name == KafkaError.Name.topicMissing
        && error?.message.contains("no-such-topic") == true
    }
    #expect(ContinuousClock.now - began < .seconds(5))
  }
}

/// What a reader makes of a case.
private struct Result {
  var offsets: [Int64] = []
  var error: KafkaError?
  /// The reader's own deadline passed without a record.
  var stalled = false

  init(reading hostile: HostileCase) {
    do {
      try read(hostile)
    } catch let error as KafkaError {
      self.error = error
    } catch {
      Issue.record(error)
    }
  }

  private mutating func read(_ hostile: HostileCase) throws {
    let consumer = try KafkaConsumer.open(
      KafkaConfiguration(brokers: [hostile.bootstrap]), topic: HostileBroker.topic,
      timeout: .seconds(3))
    defer { consumer.close() }
    let beginning = try consumer.offsets(of: [0], at: .beginning, timeout: .seconds(5))[0] ?? 0
    let end = try consumer.offsets(of: [0], at: .end, timeout: .seconds(5))[0] ?? 0
    let start = hostile.start ?? beginning
    try consumer.assign([0: start])
    // A position that the log does not have is noticed because something is wanted from there.
    consumer.beginBatch(upTo: [0: max(end, start + 1, hostile.offsets.last.map { $0 + 1 } ?? 0)])
    if end == beginning, hostile.start == nil { consumer.beginBatch(upTo: [0: end]) }
    var deadline = ContinuousClock.now + .seconds(hostile.outcome == "stalled" ? 1 : 8)
    while !consumer.batchIsDone {
      guard .now < deadline else {
        stalled = true
        return
      }
      let count = try consumer.poll(timeoutMilliseconds: 50) { offsets.append($0.offset) }
      if count > 0 { deadline = max(deadline, .now + .seconds(1)) }
    }
  }
}
