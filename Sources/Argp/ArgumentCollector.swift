import CArgp
import Glibc

/// Receives what argp finds, one piece at a time, and says what it does not accept.
final class ArgumentCollector {
  private(set) var parsed = ParsedArguments()
  private let table: ProgramTable
  private let rows: [(key: Int32, row: OptionRow)]
  private var words: [String] = []
  /// The option whose optional value may still follow as the next word.
  private var openOption: String?

  init(table: ProgramTable, rows: [(key: Int32, row: OptionRow)]) {
    self.table = table
    self.rows = rows
  }

  /// `false` when the command line was not accepted, which was then explained.
  func run(_ arguments: [String]) -> Bool {
    var vector = arguments.map { strdup($0) }
    // argp does nothing at all without a name of the program.
    if vector.isEmpty { vector = [strdup(table.name)] }
    defer { for text in vector { free(text) } }
    let count = Int32(vector.count)
    vector.append(nil)
    let flags = UInt32(ARGP_IN_ORDER | ARGP_NO_EXIT | ARGP_NO_HELP)
    return withArgp(rows, arguments: "[COMMAND]", documentation: "") { description in
      description.parser = { key, argument, state in
        guard let state, let input = state.pointee.input else { return EINVAL }
        let collector = Unmanaged<ArgumentCollector>.fromOpaque(input).takeUnretainedValue()
        return collector.receive(key, argument.map { String(cString: $0) }, state)
      }
      // `arguments` in the copied vector outlive the call; `self` is kept by the caller.
      let input = Unmanaged.passUnretained(self).toOpaque()
      return argp_parse(&description, count, &vector, flags, nil, input) == 0
    }
  }

  private func receive(
    _ key: Int32, _ argument: String?, _ state: UnsafeMutablePointer<argp_state>
  ) -> error_t {
    if let row = rows.first(where: { $0.key == key })?.row {
      openOption = if case .optional = row.argument, argument == nil { row.name } else { nil }
      parsed.options.append(ParsedArguments.Option(name: row.name, value: argument))
      return 0
    }
    switch key {
    case ARGP_KEY_ARG:
      take(argument ?? "")
      return 0
    case ARGP_KEY_END:
      guard let complaint = complaint() else { return 0 }
      cargp_error(state, complaint)
      return EINVAL
    default:
      return ARGP_ERR_UNKNOWN
    }
  }

  private func take(_ word: String) {
    defer { openOption = nil }
    let isCommand = table.commands.contains { row in
      row.name.split(separator: " ").contains { $0 == word }
    }
    if let option = openOption, !isCommand {
      parsed.options.removeLast()
      parsed.options.append(ParsedArguments.Option(name: option, value: word))
    } else {
      words.append(word)
    }
  }

  /// Judges the whole line; `nil` when it is in order.
  private func complaint() -> String? {
    guard !words.isEmpty else { return misplacedOption() }
    let text = words.joined(separator: " ")
    guard let row = table.commands.first(where: { $0.name == text }) else {
      return unknownCommand(text)
    }
    parsed.command = row.name
    return misplacedOption()
  }

  private func unknownCommand(_ text: String) -> String {
    let deeper = table.commands.map(\.name).filter { $0.hasPrefix(text + " ") }
    if !deeper.isEmpty { return "\(text) needs one of: \(deeper.joined(separator: ", "))" }
    let known = table.commands.map(\.name).joined(separator: ", ")
    return "unknown command '\(text)'; expected one of: \(known)"
  }

  /// An option that the command would silently ignore is a mistake.
  private func misplacedOption() -> String? {
    for option in parsed.options {
      let owners = rows.first { $0.row.name == option.name }?.row.commands ?? []
      if owners.isEmpty || parsed.command.map(owners.contains) ?? false { continue }
      if parsed.has("help") || parsed.has("usage") || parsed.has("version") { continue }
      return "--\(option.name) is an option of \(owners.joined(separator: ", "))"
    }
    return nil
  }
}
