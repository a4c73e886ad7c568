import Glibc
import Kafka

/// A Kafka broker for tests and the demo: librdkafka's mock cluster in a process of its own.
///
///     embedded-broker --topic clickstream-events --partitions 3 [--brokers 1] [--port-file FILE]
///
/// Prints `bootstrap=127.0.0.1:PORT` and, with `--port-file`, puts the same address into FILE once
/// it is complete. Ends when standard input ends, or on SIGTERM. Each line of standard input is a
/// command, answered with `ok`; brokers count from 1:
///
///     fail fetch 6 6        the next requests of that kind end with these protocol errors
///     down 2, up 2          a broker's connections are cut and refused, or let in again
///     leader 0 2            a partition moves to another broker
///     delay 1 500           a broker's answers come so many milliseconds later
@main struct EmbeddedBrokerProgram {
  static func main() {
    do {
      let options = try Options(Array(CommandLine.arguments.dropFirst()))
      let broker = try EmbeddedBroker(brokers: options.brokers)
      try broker.createTopic(options.topic, partitions: options.partitions)
      announce(broker.bootstrapServers, in: options.portFile)
      while let line = readLine() {
        print(obey(line.split(separator: " "), broker, options.topic) ? "ok" : "not understood")
        fflush(nil)
      }
    } catch {
      complain("embedded-broker: \(error)")
      exit(64)
    }
  }

  private static func announce(_ address: String, in file: String?) {
    print("bootstrap=\(address)")
    fflush(nil)
    guard let file else { return }
    let temporary = "\(file).tmp"
    guard let handle = fopen(temporary, "w") else {
      complain("embedded-broker: cannot write \(temporary)")
      exit(74)
    }
    fputs("\(address)\n", handle)
    fclose(handle)
    if rename(temporary, file) != 0 {
      complain("embedded-broker: cannot rename \(temporary) to \(file)")
      exit(74)
    }
  }

  private static func obey(
    _ words: [Substring], _ broker: EmbeddedBroker, _ topic: String
  ) -> Bool {
    let numbers = words.dropFirst().compactMap { Int32($0) }
    switch (words.first, numbers.count) {
    case ("fail", 1...):
      let requests: [Substring: EmbeddedBroker.Request] = [
        "produce": .produce, "fetch": .fetch, "list-offsets": .listOffsets, "metadata": .metadata,
      ]
      guard let request = requests[words[1]] else { return false }
      broker.failNext(request, with: numbers)
    case ("down", 1): broker.setBroker(numbers[0], isUp: false)
    case ("up", 1): broker.setBroker(numbers[0], isUp: true)
    case ("leader", 2): broker.setLeader(ofTopic: topic, partition: numbers[0], to: numbers[1])
    case ("delay", 2): broker.setDelay(ofBroker: numbers[0], milliseconds: numbers[1])
    default: return false
    }
    return true
  }

  private static func complain(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }
}

/// The command line.
struct Options {
  var topic = "clickstream-events"
  var partitions: Int32 = 3
  var brokers: Int32 = 1
  var portFile: String?

  struct UsageError: Error, CustomStringConvertible {
    let description: String
  }

  init(_ arguments: [String]) throws {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else {
        throw UsageError(description: "\(option) wants a value")
      }
      switch option {
      case "--topic": topic = value
      case "--port-file": portFile = value
      case "--partitions": partitions = try Self.count(value, option)
      case "--brokers": brokers = try Self.count(value, option)
      default: throw UsageError(description: "unknown option \(option)")
      }
    }
  }
  private static func count(_ text: String, _ option: String) throws -> Int32 {
    guard let count = Int32(text), count > 0 else {
      throw UsageError(description: "\(option) wants a number from 1, not \(text)")
    }
    return count
  }
}
