import Glibc
import Kafka

/// A Kafka broker for tests and the demo: librdkafka's mock cluster in a process of its own.
///
///     embedded-broker --topic clickstream-events --partitions 3 [--port-file FILE]
///
/// Prints `bootstrap=127.0.0.1:PORT` and, with `--port-file`, puts the same address into FILE once
/// it is complete. Ends when standard input ends, or on SIGTERM.
@main struct EmbeddedBrokerProgram {
  static func main() {
    do {
      let options = try Options(Array(CommandLine.arguments.dropFirst()))
      let broker = try EmbeddedBroker()
      try broker.createTopic(options.topic, partitions: options.partitions)
      announce(broker.bootstrapServers, in: options.portFile)
      waitForEndOfInput()
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

  private static func waitForEndOfInput() {
    var byte: UInt8 = 0
    while true {
      let count = read(STDIN_FILENO, &byte, 1)
      if count == 0 || (count < 0 && errno != EINTR) { return }
    }
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
      case "--partitions":
        guard let count = Int32(value), count > 0 else {
          throw UsageError(description: "--partitions wants a number from 1, not \(value)")
        }
        partitions = count
      default: throw UsageError(description: "unknown option \(option)")
      }
    }
  }
}
