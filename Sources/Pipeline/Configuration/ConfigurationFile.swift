import Glibc

/// From `/etc/shopmetrics.toml` to a complete `Configuration`, or to every reason why not.
package enum ConfigurationFile {
  package static let defaultPath = "/etc/shopmetrics.toml"

  /// What a file is checked against besides itself.
  package struct Surroundings: Sendable {
    /// Where systemd puts the credentials of this service; `nil` outside of one.
    package var credentialsDirectory: String?

    package init(credentialsDirectory: String?) {
      self.credentialsDirectory = credentialsDirectory
    }

    /// Those of this process.
    package static var current: Surroundings {
      Surroundings(
        credentialsDirectory: getenv("CREDENTIALS_DIRECTORY").map { String(cString: $0) })
    }
  }

  /// Who reads the file.
  ///
  /// All but the service may see less of the system than it does: what they cannot look at is a
  /// note and no error.
  enum Reader {
    case service, check
    /// An operator's tool, which may only be allowed to read.
    case tool
  }

  /// Reads and checks the file and the paths and credentials that it names; changes nothing.
  ///
  /// Throws all problems at once, those of the file in its order. A syntax error hides what
  /// follows it, so it comes alone.
  package static func load(
    path: String, surroundings: Surroundings = .current
  ) throws(ConfigurationErrors) -> Configuration {
    try examine(path, surroundings, .service).configuration
  }

  /// What a look finds in a file without errors.
  package struct Check: Sendable {
    package let configuration: Configuration
    package let changedSettings: Int
    /// A sentence for each credential that only the service itself can look at, and for what is
    /// known not to work.
    package let notes: [String]
  }

  /// The same for `--check-config`, which an operator runs outside of the service.
  package static func check(
    path: String, surroundings: Surroundings = .current
  ) throws(ConfigurationErrors) -> Check {
    let check = try survey(path, surroundings, .check)
    return Check(
      configuration: check.configuration, changedSettings: check.changedSettings,
      notes: check.notes + check.configuration.kafka.warnings)
  }

  /// The same for a tool that looks at the state, and may not be allowed to change it.
  package static func look(
    path: String, surroundings: Surroundings = .current
  ) throws(ConfigurationErrors) -> Check {
    try survey(path, surroundings, .tool)
  }

  private static func survey(
    _ path: String, _ surroundings: Surroundings, _ reader: Reader
  ) throws(ConfigurationErrors) -> Check {
    let loader = try examine(path, surroundings, reader)
    return Check(
      configuration: loader.configuration, changedSettings: loader.changedSettings,
      notes: loader.notes)
  }

  /// The same for `--dump-config`.
  package static func dump(
    path: String, surroundings: Surroundings = .current
  ) throws(ConfigurationErrors) -> ConfigurationDump {
    ConfigurationDump(try examine(path, surroundings, .check), path: path)
  }

  private static func examine(
    _ path: String, _ surroundings: Surroundings, _ reader: Reader
  ) throws(ConfigurationErrors) -> ConfigurationLoader {
    let file: ConfigurationBytes
    do {
      file = try ConfigurationBytes.read(path)
    } catch {
      throw ConfigurationErrors(path: path, problems: [.about(error.message)])
    }
    var loader = ConfigurationLoader(source: SourceText(file.bytes), reader)
    guard loader.parse(file.bytes) else {
      throw ConfigurationErrors(path: path, problems: loader.problems)
    }
    loader.check(file: file, surroundings: surroundings)
    guard loader.problems.isEmpty else {
      throw ConfigurationErrors(path: path, problems: loader.problemsInOrder)
    }
    return loader
  }
}

extension ConfigurationProblem {
  /// A problem of the file as a whole.
  static func about(_ message: String) -> ConfigurationProblem {
    ConfigurationProblem(place: nil, message: message)
  }
}

/// The file's content and who may read it.
struct ConfigurationBytes {
  let bytes: [UInt8]
  /// Permission bits only.
  let mode: mode_t

  struct Failure: Error { let message: String }

  /// Follows symlinks: distributions and configuration management link files into `/etc`.
  static func read(_ path: String) throws(Failure) -> ConfigurationBytes {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure("cannot be opened", errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure("cannot be examined", errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(message: "not a regular file; expected a TOML file")
    }
    guard status.st_size <= TOMLGuard.byteLimit else {
      throw Failure(
        message: "\(status.st_size) bytes; a configuration file has at most \(TOMLGuard.byteLimit)")
    }
    return ConfigurationBytes(
      bytes: try content(of: descriptor), mode: status.st_mode & 0o7777)
  }

  /// Reads to the end or just past the limit: the file may grow while it is read.
  private static func content(of descriptor: Int32) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= TOMLGuard.byteLimit {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("cannot be read", errno) }
      guard count > 0 else { return bytes }
      bytes += chunk[..<count]
    }
    throw Failure(message: "more than \(TOMLGuard.byteLimit) bytes")
  }

  private static func failure(_ what: String, _ code: Int32) -> Failure {
    Failure(message: "\(what): \(SystemText.error(code))")
  }
}

/// The system's words for its errors; glibc's strerror(3) is safe between threads.
enum SystemText {
  static func error(_ code: Int32) -> String { String(cString: strerror(code)) }
}
