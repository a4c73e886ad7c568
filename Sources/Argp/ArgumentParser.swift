import CArgp
import Glibc

/// Runs argp over a command line, and renders its help.
///
/// Options and commands may be mixed (`ARGP_IN_ORDER`), and argp never ends the process
/// (`ARGP_NO_EXIT`): the program decides. Called once per process, from its main thread.
package struct ArgumentParser: Sendable {
  private let table: ProgramTable
  /// All options, each with its key for argp.
  private let rows: [(key: Int32, row: OptionRow)]

  /// argp breaks longer lines itself, and then without a margin.
  private static let columns = 79

  package init(_ table: ProgramTable) {
    self.table = table
    // Keys above 255 are no characters: argp then has long options only.
    rows = table.allOptions.enumerated().map { (Int32(256 + $0), $1) }
  }

  /// Checks `arguments` (the program's name first) against the table.
  ///
  /// Mistakes are explained on standard error, by argp and in its words.
  package func parse(_ arguments: [String], version: String) -> CommandLineOutcome<ParsedArguments>
  {
    let collector = ArgumentCollector(table: table, rows: rows)
    guard collector.run(arguments) else { return .exit(EX_USAGE) }
    let parsed = collector.parsed
    if parsed.has("help") { return .print(help(of: parsed.command)) }
    if parsed.has("usage") { return .print(usage()) }
    if parsed.has("version") { return .print(version + "\n") }
    return .run(parsed)
  }

  /// Explains a mistake that only the command itself can see, as argp explains its own.
  package func refuse<Command>(_ complaint: String) -> CommandLineOutcome<Command> {
    let text = "\(table.name): \(complaint)\nTry `\(table.name) --help' for more information.\n"
    let bytes = Array(text.utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
    return .exit(EX_USAGE)
  }

  /// The help of one command, or of the program with all of them.
  package func help(of command: String? = nil) -> String {
    let shown = rows.filter { row in
      row.row.commands.isEmpty || command.map(row.row.commands.contains) ?? true
    }
    return render(
      shown, arguments: command ?? "[COMMAND]", documentation: documentation(of: command),
      flags: UInt32(ARGP_HELP_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC))
  }

  private func usage() -> String {
    render(rows, arguments: "[COMMAND]", documentation: "", flags: UInt32(ARGP_HELP_USAGE))
  }

  /// argp prints what is before the vertical tab above the options, and the rest below.
  private func documentation(of command: String?) -> String {
    let rows = table.commands.filter { command == nil || $0.name == command }
    let summary = command == nil ? table.summary : rows.map(\.summary).joined()
    var text = ""
    if command == nil, !rows.isEmpty {
      let width = (rows.map(\.name.count).max() ?? 0) + 2
      text += "Commands:\n"
      let margin = String(repeating: " ", count: 2 + width)
      for row in rows {
        let gap = String(repeating: " ", count: width - row.name.count)
        let summary = FilledText.lines(row.summary, width: Self.columns - 2 - width)
        text += "  \(row.name)\(gap)\(summary.joined(separator: "\n" + margin))\n"
      }
    }
    let examples = table.examples.filter { command.map($0.line.contains) ?? true }
    if !examples.isEmpty {
      text += "\nExamples:\n"
      for example in examples { text += "  # \(example.purpose)\n  \(example.line)\n" }
    }
    return summary + "\u{0B}" + text
  }

  private func render(
    _ shown: [(key: Int32, row: OptionRow)], arguments: String, documentation: String,
    flags: UInt32
  ) -> String {
    var text: UnsafeMutablePointer<CChar>?
    var size = 0
    guard let stream = open_memstream(&text, &size) else { return "" }
    withArgp(shown, arguments: arguments, documentation: documentation) { argp in
      var name = Array(table.name.utf8CString)
      argp_help(&argp, stream, flags, &name)
    }
    fclose(stream)
    defer { free(text) }
    return text.map { String(cString: $0) } ?? ""
  }
}

/// Builds argp's table for the length of `body`; all of its texts live until then.
func withArgp<Result>(
  _ rows: [(key: Int32, row: OptionRow)], arguments: String, documentation: String,
  _ body: (inout argp) -> Result
) -> Result {
  var texts: [UnsafeMutablePointer<CChar>] = []
  defer { for text in texts { free(text) } }
  func lasting(_ text: String) -> UnsafePointer<CChar>? {
    guard let copy = strdup(text) else { return nil }
    texts.append(copy)
    return UnsafePointer(copy)
  }
  var options = rows.map { key, row in
    var option = argp_option()
    option.name = lasting(row.name)
    option.key = key
    option.doc = lasting(row.help)
    switch row.argument {
    case .none: break
    case .required(let word): option.arg = lasting(word)
    case .optional(let word):
      option.arg = lasting(word)
      option.flags = OPTION_ARG_OPTIONAL
    }
    return option
  }
  options.append(argp_option())
  return options.withUnsafeBufferPointer { buffer in
    var description = argp()
    description.options = buffer.baseAddress
    description.args_doc = lasting(arguments)
    description.doc = lasting(documentation)
    return body(&description)
  }
}
