import CLinux
import Glibc
import Pipeline
import Systemd

/// A program that is run for an alert, with a text on its standard input.
///
/// It inherits none of our descriptors, signals or environment but `PATH`, `HOME`, `LANG`, `TZ`:
/// in particular not the notification socket. It is killed, with its children, after a minute.
struct HookCommand {
  var program: String
  var arguments: [String]
  var environment: [String: String]
  var input: String

  private static let limit: Int64 = 60_000
  /// What is kept of its standard error for the log.
  private static let outputLimit = 2048

  /// Posts JSON with curl(1), which reads the address from its standard input: that is a secret,
  /// and command lines are visible to everybody.
  static func post(_ document: String, to address: Secret) -> HookCommand {
    // In curl's configuration a quoted value has the escapes of C.
    func quoted(_ text: String) -> String {
      "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
    return HookCommand(
      program: "curl", arguments: ["--disable", "--config", "-"], environment: [:],
      input: """
        url = \(quoted(address.exposedValue))
        header = "Content-Type: application/json"
        data-raw = \(quoted(document))
        user-agent = "shopmetricsd/\(ProgramVersion.number)"
        proto = "=http,https"
        globoff
        fail
        silent
        show-error
        output = "/dev/null"
        connect-timeout = 10
        max-time = 15
        retry = 3
        retry-max-time = 40

        """)
  }

  /// Runs the program to its end.
  ///
  /// - Returns: why it did not succeed, in one line; `nil` when it did.
  func run() -> String? {
    var child = pid_t()
    var (standardInput, standardError): (Int32, Int32) = (-1, -1)
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var variables = environmentLines.map { strdup($0) } + [nil]
    defer { for text in words + variables { free(text) } }
    let status = clinux_spawn(&child, &words, &variables, &standardInput, &standardError)
    guard status == 0 else {
      return "\(program) cannot be started: \(String(cString: strerror(status)))"
    }
    let deadline = MonotonicClock.milliseconds() + Self.limit
    let output = exchange(standardInput, standardError, child, deadline)
    return outcome(of: child, output, deadline)
  }

  private var environmentLines: [String] {
    let names = ["PATH", "HOME", "LANG", "TZ"]
    let inherited = names.compactMap { (name: String) in
      getenv(name).map { "\(name)=\(String(cString: $0))" }
    }
    return inherited + environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
  }

  /// Writes the input and reads the errors until the program closes them or its time is up.
  private func exchange(
    _ standardInput: Int32, _ standardError: Int32, _ child: pid_t, _ deadline: Int64
  ) -> [UInt8] {
    var left = Array(input.utf8)[...]
    var output: [UInt8] = []
    _ = fcntl(standardInput, F_SETFL, O_NONBLOCK)
    var entries = [
      pollfd(fd: standardError, events: Int16(POLLIN), revents: 0),
      pollfd(fd: standardInput, events: Int16(POLLOUT), revents: 0),
    ]
    while true {
      let wait = deadline - MonotonicClock.milliseconds()
      guard wait > 0 else {
        kill(-child, SIGKILL)
        break
      }
      guard poll(&entries, 2, Int32(wait)) > 0 else { continue }
      if entries[1].revents != 0, !Self.write(&left, to: standardInput) {
        close(entries[1].fd)
        // poll(2) passes negative descriptors by.
        entries[1].fd = -1
      }
      if entries[0].revents != 0, !Self.read(into: &output, from: standardError) { break }
    }
    for entry in entries where entry.fd >= 0 { close(entry.fd) }
    return output
  }

  /// - Returns: whether there is more to write.
  private static func write(_ left: inout ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
    let count = left.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    guard count >= 0 else { return errno == EAGAIN || errno == EINTR }
    left = left.dropFirst(count)
    return !left.isEmpty
  }

  /// - Returns: whether there may be more to read.
  private static func read(into output: inout [UInt8], from descriptor: Int32) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1024)
    let count = Glibc.read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return count < 0 && errno == EINTR }
    output += chunk.prefix(min(count, outputLimit - output.count))
    return true
  }

  private func outcome(of child: pid_t, _ output: [UInt8], _ deadline: Int64) -> String? {
    var status: Int32 = 0
    // It may close its standard error long before it ends.
    while waitpid(child, &status, WNOHANG) == 0 {
      if MonotonicClock.milliseconds() > deadline { kill(-child, SIGKILL) }
      usleep(10_000)
    }
    guard status != 0 else { return nil }
    let signal = status & 0x7F
    let end = signal == 0 ? "exit status \(status >> 8)" : "killed by signal \(signal)"
    let text = String(decoding: output, as: UTF8.self).split(separator: "\n").joined(separator: " ")
    return PrintableText.escaping(text.isEmpty ? end : "\(end): \(text)", limit: 512)
  }
}
