/// A program's whole command line, once: parsing, help and usage all come from it.
package struct ProgramTable: Sendable {
  package let name: String
  /// One sentence, shown first in the help.
  package let summary: String
  package let commands: [CommandRow]
  package let options: [OptionRow]
  /// Command lines to copy, each with what it does.
  package let examples: [(line: String, purpose: String)]

  package init(
    name: String, summary: String, commands: [CommandRow], options: [OptionRow],
    examples: [(line: String, purpose: String)]
  ) {
    self.name = name
    self.summary = summary
    self.commands = commands
    self.options = options
    self.examples = examples
  }

  /// The program's own options, and those that every program has.
  package var allOptions: [OptionRow] { options + Self.standardOptions }

  private static let standardOptions = [
    OptionRow("help", .none, "Print this help and exit; behind a command, the command's"),
    OptionRow("usage", .none, "Print a short usage message and exit"),
    OptionRow("version", .none, "Print the version, and those of the libraries, and exit"),
  ]
}

/// A command, of one word or two (`checkpoint show`).
package struct CommandRow: Sendable {
  package let name: String
  package let summary: String

  package init(_ name: String, _ summary: String) {
    self.name = name
    self.summary = summary
  }
}

/// An option; it may stand before or behind the command.
package struct OptionRow: Sendable {
  package enum Argument: Equatable, Sendable {
    case none
    /// `--name VALUE` or `--name=VALUE`, with the word that stands for the value in the help.
    case required(String)
    /// `--name`, `--name=VALUE`, and `--name VALUE` where the value is not a command.
    case optional(String)
  }

  package let name: String
  package let argument: Argument
  package let help: String
  /// The commands that know it; empty for an option of the program.
  package let commands: [String]
  /// The values that a shell may offer; empty where the argument's word says what is meant
  /// (`FILE`, `DIR`) or anything goes.
  package let choices: [String]

  package init(
    _ name: String, _ argument: Argument = .none, _ help: String, of commands: [String] = [],
    choices: [String] = []
  ) {
    self.name = name
    self.argument = argument
    self.help = help
    self.commands = commands
    self.choices = choices
  }
}

/// What stood on a command line, checked against its table.
package struct ParsedArguments: Equatable, Sendable {
  /// The command's row name; `nil` when there was none.
  package var command: String?
  /// In their order; the value is `nil` for an option without one.
  package var options: [Option] = []

  package struct Option: Equatable, Sendable {
    package let name: String
    package let value: String?
  }

  package func has(_ name: String) -> Bool { options.contains { $0.name == name } }

  /// The last one given wins, as everywhere on Unix.
  package func value(of name: String) -> String? { options.last { $0.name == name }?.value }
}

/// What a program does with its command line.
package enum CommandLineOutcome<Command: Sendable>: Sendable {
  case run(Command)
  /// Help or version: print the text to standard output and exit with 0.
  case print(String)
  /// The mistake was already explained on standard error; exit with this status (64, EX_USAGE).
  case exit(Int32)
}

extension CommandLineOutcome: Equatable where Command: Equatable {}
